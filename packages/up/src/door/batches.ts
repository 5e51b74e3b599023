/** What one request may hold: the limits of Segment's own protocol. */
const BATCH_EVENTS_MAX = 100
const BATCH_BYTES_MAX = 480_000

/** Groups items into batches of bounded count and bytes. An item over the bound makes a batch of its own. */
export async function* batchesOf<T>(items: AsyncIterable<T> | Iterable<T>, bytesOf: (item: T) => number): AsyncGenerator<readonly T[]> {
  let batch: T[] = []
  let bytes = 0
  for await (const item of items) {
    const size = bytesOf(item)
    if (batch.length > 0 && (batch.length >= BATCH_EVENTS_MAX || bytes + size > BATCH_BYTES_MAX)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(item)
    bytes += size
  }
  if (batch.length > 0) yield batch
}
