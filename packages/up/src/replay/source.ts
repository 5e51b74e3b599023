import { createSystemClock } from '@millrace/adapters'
import type { Clock, EventLog, HotStore } from '@millrace/ports'
import { createStack } from '@millrace/wiring'
import type { Env } from '../config.ts'
import { requireRest } from '../at-rest.ts'
import { stackAt } from '../stack/where.ts'
import { openLog } from './open-log.ts'

/** What is replayed, of either wiring. */
export interface Source {
  readonly log: EventLog
  readonly hot: HotStore
  readonly skipsOffsets: boolean
  /** @throws StartFault when it has not come to the end of its log */
  check(): Promise<void>
  close(): Promise<void>
}

/** @param place the folder of a stopped Millrace or of a running `npm run stack`, or `stack` @throws StartFault */
export const openSource = async (place: string, env: Env, clock: Clock): Promise<Source> => {
  const config = await stackAt(place, env)
  if (!config) return { ...(await openLog(place, clock)), skipsOffsets: false, check: async () => {} }
  const { log, hot, close } = await createStack({ config, needsColumns: false, clock })
  return { log, hot, skipsOffsets: true, check: () => requireRest(place, log, createSystemClock()), close }
}
