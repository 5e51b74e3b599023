import type { EventLog, LogRecord, NewRecord } from '@millrace/ports'

/** Just enough of a log for what the kit does with one: topics of one partition. */
export const createMemoryLog = (): Pick<EventLog, 'append' | 'read' | 'extents'> & { failWith(error: Error | null): void } => {
  const kept: LogRecord[] = []
  let fault: Error | null = null
  const of = (topic: string): readonly LogRecord[] => kept.filter((record) => record.topic === topic)
  return {
    append: async (records: readonly NewRecord[]) => {
      if (fault) throw fault
      for (const { topic, partition, value } of records) kept.push({ topic, partition, value, offset: of(topic).length })
    },
    read: async (topic, _partition, from, { recordsMax }) => of(topic).slice(from, from + recordsMax),
    extents: async (topic) => [{ partition: 0, first: 0, next: of(topic).length }],
    failWith: (error) => {
      fault = error
    },
  }
}
