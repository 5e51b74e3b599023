import { decodeRecord, type RecordHeader, topics } from '@millrace/contracts'
import { type EventLog, LogUnavailable, type NewRecord } from '@millrace/ports'

export interface MemoryLog extends EventLog {
  /** How many appends were made. */
  appends(): number
  /** Every line of a topic with its header and partition. */
  lines(topic: string): { header: RecordHeader; partition: number; index: number; line: Buffer }[]
  headers(topic: string): RecordHeader[]
  /** The records of a topic so far; all that is kept is forgotten. */
  forget(topic: string): readonly Uint8Array[]
  /** The next append fails so. */
  failWith(error: LogUnavailable | null): void
  /** From now on an append takes as long. */
  takes(ms: number): void
}

/** What ingest needs of a log, where a test looks at records and not at durability. */
export const createMemoryLog = (): MemoryLog => {
  const kept: NewRecord[] = []
  let appends = 0
  let fault: LogUnavailable | null = null
  let ms = 0
  const unused = () => Promise.reject(new Error('ingest never reads the log'))
  const of = (topic: string) => kept.filter((record) => record.topic === topic).map((record) => ({ ...record, decoded: decodeRecord(record.value) }))
  return {
    append: async (records) => {
      if (fault) throw fault
      if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
      // Projects are told to the log when they are made; this one shows what the doors took.
      if (records.every(({ topic }) => topic === topics.projects.name)) return
      appends++
      kept.push(...records)
    },
    consume: unused, read: unused, committed: unused,
    // The registry looks for projects that only the log knows: there are none.
    extents: async () => [],
    ready: async () => { if (fault) throw fault },
    close: async () => {},
    appends: () => appends,
    headers: (topic) => of(topic).map(({ decoded }) => decoded.header),
    lines: (topic) => of(topic).flatMap(({ partition, decoded }) => decoded.lines().map((line, index) => ({ header: decoded.header, partition, index, line }))),
    forget: (topic) => kept.splice(0).filter((record) => record.topic === topic).map(({ value }) => value),
    failWith: (error) => { fault = error },
    takes: (time) => { ms = time },
  }
}

export const acceptedOf = (log: MemoryLog) => log.lines(topics.accepted.name)
export const rejectedOf = (log: MemoryLog) =>
  log.lines(topics.rejected.name).map(({ line }) => JSON.parse(line.toString()) as { code: string; bytes: string; detail: string; messageId: string | null })
