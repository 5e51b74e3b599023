import type { Origin, OriginCount, Place, RejectedLine } from '@millrace/contracts'
import { hourText, jsonRow, timeText } from './json.ts'

/** One row of `millrace_store.repeats`, or null when the origin brought none. */
export const repeatRow = (project: number, origin: OriginCount, [partition, offset]: readonly [number, number]): string | null =>
  origin.repeats === 0
    ? null
    : jsonRow({
        project,
        source: origin.source,
        hour: hourText(origin.receivedAt),
        n: origin.repeats,
        // The ledger counts below the sink's position: what is stored but not committed is still pending.
        _partition: partition,
        _offset: offset,
      })

/** One row of `millrace_store.rejected`. */
export const rejectedRow = (project: number, origin: Origin, line: RejectedLine, place: Place, request: string): string =>
  jsonRow({
    project,
    source: origin.source,
    protocol: origin.protocol,
    received_at: timeText(origin.receivedAt),
    code: line.code,
    detail: line.detail,
    message_id: line.messageId ?? '',
    request_id: request,
    bytes: line.bytes,
    _partition: place[0],
    _offset: place[1],
    _index: place[2],
  })

/** One row of `millrace_store.clock`: the newest time that a partition of events.resolved has seen. */
export const clockRow = (partition: number, at: number): string => jsonRow({ partition, at: timeText(at) })

/** What metrics counted from the log's headers, for the ledger view. A larger version replaces a smaller one. */
export interface LedgerCount {
  readonly project: number
  readonly source: string
  /** Any time within the hour. */
  readonly hour: number
  readonly received: number
  readonly pending: number
  readonly version: number
}

/** One row of `millrace_store.ledger_counts`. */
export const ledgerCountRow = (count: LedgerCount): string => jsonRow({ ...count, hour: hourText(count.hour) })
