import { decodeRecord, encodeRecord, type FlipLine, type Millis, type NumberMoved, type Origin, partitionOfPerson, partitionOfProject, type ResolvedLine, type RuleChanged, topics } from '@millrace/contracts'
import type { LogRecord, NewRecord } from '@millrace/ports'

/** A record of events.resolved, its lines parsed once. */
export interface ResolvedRecord {
  readonly project: number
  readonly partition: number
  readonly offset: number
  readonly origins: readonly Origin[]
  readonly lines: readonly ResolvedLine[]
  /** The clock that it brings before its first line. */
  readonly receivedAt: Millis
}

/** @throws RecordError */
export const readRecord = ({ value, partition, offset }: LogRecord): ResolvedRecord => {
  const { header, lines } = decodeRecord(value)
  const parsed = lines().map((line) => JSON.parse(line.toString()) as ResolvedLine)
  const receivedAt = header.origins.reduce((latest, origin) => Math.max(latest, origin.receivedAt), 0)
  return { project: header.project, partition, offset, origins: header.origins, lines: parsed, receivedAt }
}

/** The greatest clock that a record can bring: timers up to it are loaded before. */
export const clockWithin = (record: ResolvedRecord): Millis => record.lines.reduce((latest, line) => Math.max(latest, lineClock(line)), record.receivedAt)

/** Clock that a line brings by itself. */
export const lineClock = (line: ResolvedLine): Millis => {
  if (line.type === 'clock.advanced') return line.at
  return line.type === 'number.moved' && line.for === 'segmentation' ? line.clock : 0
}

export const resolvedRecord = (project: number, partition: number, lines: readonly ResolvedLine[]): NewRecord => ({
  topic: topics.resolved.name,
  partition,
  value: encodeRecord({ kind: 'resolved', project, count: 0, origins: [] }, lines.map((line) => JSON.stringify(line))),
})

export const movedRecord = (project: number, line: NumberMoved): NewRecord =>
  resolvedRecord(project, partitionOfPerson(line.person, topics.resolved.partitions), [line])

/** The partition that is told of a change of a rule, and tells the others. */
export const RULES_HOME = 0

/** The clock comes first: what the backfill leaves out, being too old at `at`, no partition asks for from there on. */
export const ruleRecord = (project: number, partition: number, line: RuleChanged): NewRecord =>
  resolvedRecord(project, partition, [{ type: 'clock.advanced', at: line.at }, line])

/** For all others than its home, which writes them in the step that reads it: a rule is known everywhere or nowhere. */
export const ruleRecordsOfOthers = (project: number, line: RuleChanged): readonly NewRecord[] =>
  Array.from({ length: topics.resolved.partitions }, (_, partition) => partition)
    .filter((partition) => partition !== RULES_HOME)
    .map((partition) => ruleRecord(project, partition, line))

const FLIPS_PER_RECORD = 2_000

export const flipRecords = (project: number, flips: readonly FlipLine[]): readonly NewRecord[] => {
  const records: NewRecord[] = []
  for (let from = 0; from < flips.length; from += FLIPS_PER_RECORD) {
    const lines = flips.slice(from, from + FLIPS_PER_RECORD).map((line) => JSON.stringify(line))
    const value = encodeRecord({ kind: 'flips', project, count: 0, origins: [] }, lines)
    records.push({ topic: topics.segmentChanged.name, partition: partitionOfProject(project, topics.segmentChanged.partitions), value })
  }
  return records
}
