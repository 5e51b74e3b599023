import { afterAll, beforeAll } from 'vitest'
import { startMillrace, type Millrace, type MillraceOptions } from './millrace.ts'

/** Filled before the first test runs. */
export interface Running {
  readonly millrace: Millrace
}

/** One Millrace for all tests of a file or a `describe`: started before them, stopped and removed behind them. */
export const millraceForAll = (options: () => MillraceOptions = () => ({})): Running => {
  const running: { millrace?: Millrace } = {}
  beforeAll(async () => {
    running.millrace = await startMillrace(options())
  }, 120_000)
  afterAll(async () => {
    await running.millrace?.stop()
    running.millrace?.remove()
  })
  return running as Running
}
