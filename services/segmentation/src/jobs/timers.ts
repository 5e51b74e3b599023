import type { Millis } from '@millrace/contracts'
import { topics } from '@millrace/contracts'
import type { Clock, EventLog, HotStore } from '@millrace/ports'
import type { Logger } from '@millrace/service-kit'
import { scopeOf } from '../handlers/documents.ts'
import { resolvedRecord } from '../handlers/records.ts'

export interface TimerDeps {
  readonly log: EventLog
  readonly hot: HotStore
  readonly clock: Clock
  readonly logger: Logger
  /** Any project: a record has one, and the clock is the partition's. */
  readonly projectId: () => number
  readonly probe: (point: string) => void
}

/** Watches the timers of one partition. */
export interface TimerWatch {
  /** After each stored batch: the partition's clock, and the earliest timer that the batch set. */
  stored(clock: Millis, earliest: Millis | null): void
  stop(): void
}

/** A wait of a month does not fit into a timer of node. */
const WAIT_MS_MAX = 3_600_000
const RETRY_MS = 500

/**
 * A timer never fires from the wall clock: when one is due, the time is appended to the partition's own log, and the
 * flips happen when it is read. One record is under way at a time; between timers nothing runs.
 */
export const watchTimers = (deps: TimerDeps, partition: number): TimerWatch => {
  const scope = scopeOf(partition)
  let stopped = false
  let cancel = (): void => {}
  let wakesAt: Millis = Infinity
  /** Appended and not read yet. */
  let inFlight: Millis | null = null

  const wakeAt = (at: Millis): void => {
    cancel()
    wakesAt = at
    cancel = deps.clock.after(Math.min(WAIT_MS_MAX, Math.max(0, at - deps.clock.now())), () => void look())
  }
  const look = async (): Promise<void> => {
    wakesAt = Infinity
    try {
      if (stopped || inFlight !== null) return
      const next = await deps.hot.nextTimer(scope)
      if (stopped || next === null) return
      const now = deps.clock.now()
      // A batch that was stored meanwhile may have set an earlier one.
      if (next.at > now) return wakeAt(Math.min(next.at, wakesAt))
      inFlight = now
      await deps.log.append([{ ...resolvedRecord(deps.projectId(), partition, [{ type: 'clock.advanced', at: now }]), topic: topics.resolved.name }])
      deps.probe('timer.append')
    } catch (error) {
      inFlight = null
      if (stopped) return
      deps.logger.warn({ event: 'timer.retried', partition, err: error }, 'the clock could not be told, will retry')
      wakeAt(deps.clock.now() + RETRY_MS)
    }
  }
  wakeAt(deps.clock.now())
  return {
    stored: (clock, earliest) => {
      if (stopped) return
      if (inFlight !== null) {
        if (clock < inFlight) return
        inFlight = null
        wakeAt(deps.clock.now())
      } else if (earliest !== null && earliest < wakesAt) wakeAt(earliest)
    },
    stop: () => {
      stopped = true
      cancel()
    },
  }
}
