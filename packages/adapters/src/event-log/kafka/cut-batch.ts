import type { Batch, ConsumeOptions, LogRecord } from '@millrace/ports'

/** What is fetched and not handled yet of one partition. */
export interface Fetch {
  readonly buffer: readonly LogRecord[]
  /** The next offset to handle. */
  readonly next: number
  /** Behind everything fetched, markers included. */
  readonly end: number
  readonly caughtUp: boolean
}

export interface Boundaries {
  readonly committed: number
  /** Where the first batch that starts at the committed offset must end. */
  readonly declaredEnd?: number | undefined
}

type Bounds = Pick<ConsumeOptions, 'batchRecordsMax' | 'batchBytesMax'>

/** The next batch, and whether it is full; null while a declared batch has not come whole. It may hold no record (markers only). */
export const cutBatch = (fetch: Fetch, boundaries: Boundaries, bounds: Bounds): { readonly batch: Batch; readonly full: boolean } | null => {
  const { next, end, buffer } = fetch
  const { committed } = boundaries
  const declaredEnd = pendingDeclaration(next, boundaries)
  if (declaredEnd !== null && end < declaredEnd) return null
  const limit = Math.min(end, ...[committed, declaredEnd ?? end].filter((boundary) => boundary > next))
  const cut = declaredEnd === null ? fill(buffer, limit, bounds) : limit
  const batch = { records: buffer.filter(({ offset }) => offset < cut), end: cut, replayed: cut <= committed, caughtUp: fetch.caughtUp && cut === end }
  return { batch, full: cut < end || batch.replayed || declaredEnd !== null || batch.records.length >= bounds.batchRecordsMax }
}

/** The end of a declared batch that is still to come, or null. */
export const pendingDeclaration = (next: number, { committed, declaredEnd }: Boundaries): number | null =>
  declaredEnd !== undefined && next >= committed && next < declaredEnd ? declaredEnd : null

/** The offset of the first record that does not fit; one record always does. */
const fill = (buffer: readonly LogRecord[], limit: number, { batchRecordsMax, batchBytesMax }: Bounds): number => {
  let bytes = 0
  let count = 0
  for (const { offset, value } of buffer) {
    if (offset >= limit) return limit
    if (count >= batchRecordsMax || (count > 0 && bytes + value.length > batchBytesMax)) return offset
    bytes += value.length
    count++
  }
  return limit
}
