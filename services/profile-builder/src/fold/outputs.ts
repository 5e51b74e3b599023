import { encodeRecord, type NumberMoved, partitionOfPerson, topics } from '@millrace/contracts'
import type { NewRecord } from '@millrace/ports'

/** A longer batch becomes several records, so that none outgrows what a broker takes. */
const RECORD_CHARS_MAX = 256 * 1024

/** The states that go on, by project and partition, in the order in which they left. */
export const movedRecords = (moved: ReadonlyMap<number, readonly NumberMoved[]>): readonly NewRecord[] =>
  [...moved].flatMap(([project, lines]) =>
    [...byPartition(lines)].flatMap(([partition, texts]) => inParts(texts).map((part) => recordOf(project, partition, part))))

const byPartition = (lines: readonly NumberMoved[]): ReadonlyMap<number, string[]> => {
  const parts = new Map<number, string[]>()
  for (const line of lines) {
    const partition = partitionOfPerson(line.person, topics.resolved.partitions)
    const texts = parts.get(partition) ?? []
    texts.push(JSON.stringify(line))
    parts.set(partition, texts)
  }
  return parts
}

const inParts = (texts: readonly string[]): readonly (readonly string[])[] => {
  const parts: string[][] = []
  let chars = Infinity
  for (const text of texts) {
    if (chars + text.length > RECORD_CHARS_MAX) {
      parts.push([])
      chars = 0
    }
    parts.at(-1)!.push(text)
    chars += text.length
  }
  return parts
}

const recordOf = (project: number, partition: number, lines: readonly string[]): NewRecord => ({
  topic: topics.resolved.name,
  partition,
  value: encodeRecord({ kind: 'resolved', project, count: 0, origins: [] }, lines),
})
