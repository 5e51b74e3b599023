import { encodeRecord, type NumberMoved, partitionOfPerson, topics } from '@millrace/contracts'
import type { NewRecord } from '@millrace/ports'

const LINES_MAX = 500

/** The states that go on, one record for each project and partition, in the order in which they left. */
export const movedRecords = (moved: ReadonlyMap<number, readonly NumberMoved[]>): readonly NewRecord[] =>
  [...moved].flatMap(([project, lines]) =>
    [...byPartition(lines)].flatMap(([partition, mine]) => inParts(mine).map((part) => recordOf(project, partition, part))))

const byPartition = (lines: readonly NumberMoved[]): ReadonlyMap<number, NumberMoved[]> => {
  const parts = new Map<number, NumberMoved[]>()
  for (const line of lines) {
    const partition = partitionOfPerson(line.person, topics.resolved.partitions)
    parts.set(partition, [...(parts.get(partition) ?? []), line])
  }
  return parts
}

const inParts = (lines: readonly NumberMoved[]): readonly (readonly NumberMoved[])[] =>
  Array.from({ length: Math.ceil(lines.length / LINES_MAX) }, (_, n) => lines.slice(n * LINES_MAX, (n + 1) * LINES_MAX))

const recordOf = (project: number, partition: number, lines: readonly NumberMoved[]): NewRecord => ({
  topic: topics.resolved.name,
  partition,
  value: encodeRecord({ kind: 'resolved', project, count: 0, origins: [] }, lines.map((line) => JSON.stringify(line))),
})
