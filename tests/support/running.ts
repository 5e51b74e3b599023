import { afterAll, beforeAll } from 'vitest'
import { startMillrace, type Millrace } from './millrace.ts'

/** Gives an instance, or a part of one. */
export type Start = () => Promise<Millrace>

/** Filled before the first test runs. */
export interface Running {
  readonly millrace: Millrace
}

/** One Millrace for all tests of a file or a `describe`: started before them, stopped and removed behind them. */
export const millraceForAll = (start: Start = () => startMillrace()): Running => {
  const running: { millrace?: Millrace } = {}
  beforeAll(async () => {
    running.millrace = await start()
  })
  afterAll(async () => {
    await running.millrace?.stop()
    running.millrace?.remove()
  })
  return running as Running
}
