import type { EventLog } from './event-log.ts'

/** What waits in a spool for its log. */
export interface SpoolFigures {
  readonly records: number
  readonly bytes: number
  /** Beyond it an append is refused. */
  readonly bytesMax: number
  /** When the oldest of it was taken; null when nothing waits. */
  readonly oldestAt: number | null
  /** Appends go into the spool: the log is away, or what waited for it is not in it yet. */
  readonly spooling: boolean
}

/** A log that keeps what is appended on this machine while the log behind it is away. */
export interface SpooledLog extends EventLog {
  figures(): SpoolFigures
}
