import type { Batch, ConsumeOptions, EventLog, LogRecord, NewRecord, PartitionConsumer, Step } from '../event-log.ts'

/** What a consumer of a test saw, and its options ready to consume with. */
export interface Watched {
  readonly batches: Batch[]
  readonly faults: unknown[]
  /** How often a partition was opened and closed. */
  readonly opened: { topic: string; partition: number; offset: number; metadata: string }[]
  closed: number
  readonly options: ConsumeOptions
  texts(): string[]
}

export interface WatchOptions extends Partial<Omit<ConsumeOptions, 'open' | 'onFault'>> {
  readonly from?: number
  readonly firstBatchEnd?: number
  handle?(batch: Batch): Promise<Step> | Step
}

const NOTHING: Step = { outputs: [] }

/** A consumer that remembers everything; `handle` makes its steps. */
export const watch = (group: string, topic: string, given: WatchOptions = {}): Watched => {
  const { from, firstBatchEnd, handle, ...bounds } = given
  const watched: Watched = {
    batches: [], faults: [], opened: [], closed: 0,
    texts: () => watched.batches.flatMap((batch) => batch.records.map(textOf)),
    options: {
      group, topics: [topic], batchRecordsMax: 100, batchBytesMax: 1_000_000, lingerMs: 0, ...bounds,
      open: async (assignment): Promise<PartitionConsumer> => {
        const { partition, committed } = assignment
        watched.opened.push({ topic: assignment.topic, partition, ...committed })
        const start = { from: from ?? committed.offset, ...(firstBatchEnd === undefined ? {} : { firstBatchEnd }) }
        return {
          ...start,
          handle: async (batch) => {
            const step = (await handle?.(batch)) ?? NOTHING
            watched.batches.push(batch)
            return step
          },
          close: async () => {
            watched.closed++
          },
        }
      },
      onFault: (error) => watched.faults.push(error),
    },
  }
  return watched
}

export const record = (topic: string, partition: number, text: string): NewRecord => ({
  topic, partition, key: text, value: new TextEncoder().encode(text),
})

export const textOf = ({ value }: LogRecord): string => new TextDecoder().decode(value)

export const textsOf = (records: readonly LogRecord[]): string[] => records.map(textOf)

/** All records of a partition. */
export const readAll = async (log: EventLog, topic: string, partition: number): Promise<readonly LogRecord[]> => {
  const records: LogRecord[] = []
  const extent = (await log.extents(topic)).find((candidate) => candidate.partition === partition)!
  for (let from = extent.first; from < extent.next; ) {
    const more = await log.read(topic, partition, from, { recordsMax: 1_000, bytesMax: 1_000_000 })
    if (more.length === 0) break
    records.push(...more)
    from = more.at(-1)!.offset + 1
  }
  return records
}

/** Appends each text in an append of its own, in order. */
export const appendTexts = async (log: EventLog, topic: string, partition: number, texts: readonly string[]): Promise<void> => {
  for (const text of texts) await log.append([record(topic, partition, text)])
}

/** Waits for something that the log promises to bring about by itself. */
export const eventually = async (check: () => boolean | Promise<boolean>, msMax = 30_000): Promise<void> => {
  const until = performance.now() + msMax
  while (!(await check())) {
    if (performance.now() > until) throw new Error(`did not come true within ${msMax} ms: ${check}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** `a0`, `a1`, … */
export const numbered = (name: string, n: number): string[] => Array.from({ length: n }, (_, index) => `${name}${index}`)
