import { createLateLog, createSpooledLog, isKafkaAway } from '@millrace/adapters'
import type { Clock, EventLog, SpooledLog } from '@millrace/ports'
import { NotSetUp } from './set-up.ts'

export interface SpoolSettings {
  /** A folder of this copy alone. */
  readonly dir: string
  readonly bytesMax: number
}

/** A start that has waited so long for Kafka goes on without: what comes is kept in the spool. */
const KAFKA_MS_MAX = 3_000
/** Whoever needs Kafka later waits no longer for it to be opened. */
const NEED_MS_MAX = 1_000

/**
 * The log with a spool before it, whether Kafka is there or not. @throws what a log that answers is not fit for, as without a
 * spool; where it answers later, that is told, and nothing is sent. DataDirHeld when another process has the spool
 */
export const openSpooled = async (
  openLog: () => Promise<EventLog>,
  { dir, bytesMax }: SpoolSettings,
  { clock, onWarning }: { readonly clock: Clock; readonly onWarning: (warning: { readonly event: string; readonly message: string }) => void },
): Promise<SpooledLog> => {
  const log = createLateLog({ open: openLog, clock, waitMsMax: NEED_MS_MAX })
  try {
    await within(clock, log.opened())
    return await createSpooledLog({ log, dir, bytesMax, clock, onWarning })
  } catch (error) {
    await log.close()
    throw error
  }
}

const within = async (clock: Clock, opened: Promise<EventLog>): Promise<void> => {
  let cancel = (): void => {}
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(KAFKA_MS_MAX, resolve)
  })
  const there = opened.then(() => undefined, (error: unknown) => {
    if (!isKafkaAway(error) && !(error instanceof NotSetUp && error.waiting)) throw error
  })
  // One that fails later is told by whoever needs the log then.
  there.catch(() => undefined)
  await Promise.race([there, late]).finally(() => cancel())
}
