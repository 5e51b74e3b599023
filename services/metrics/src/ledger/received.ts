import { decodeHeader, type Origin, RecordError, type RecordHeader } from '@millrace/contracts'
import type { Assignment, Batch, ConsumeOptions, HotStore, PartitionConsumer } from '@millrace/ports'
import { openOwnScope, type OwnScope } from '@millrace/service-kit'

/** Counts of one project, source and hour. The key of its document: `project/hour/source`. */
export type HourKey = string

const HOUR_MS = 3_600_000

export const hourKey = (project: number, hour: number, source: string): HourKey => `${project}/${hour}/${source}`
export const parseHourKey = (key: HourKey): { project: number; hour: number; source: string } => {
  const [project, hour, ...source] = key.split('/')
  return { project: Number(project), hour: Number(hour), source: source.join('/') }
}

/** Scope of the hot store that holds what was received in one partition. */
export const receivedScope = (topic: string, partition: number): string => `ledger:${topic}:${partition}`

/** Adds what a record accounts for, by its header alone: events.accepted, events.resolved, events.rejected. */
const addHeader = (counts: Map<HourKey, number>, header: RecordHeader): void => {
  if (header.kind === 'resolved') {
    for (const origin of header.origins)
      if ('events' in origin) add(counts, header.project, origin, origin.events + origin.repeats)
    return
  }
  if (header.count === 0 || header.kind === 'control') return
  const [only, ...more] = header.origins as readonly Origin[]
  if (only && more.length === 0) return add(counts, header.project, only, header.count)
  for (const origin of header.origins as readonly Origin[]) add(counts, header.project, origin, origin.lines ?? 0)
}

const add = (counts: Map<HourKey, number>, project: number, origin: { source: string; receivedAt: number }, n: number): void => {
  const key = hourKey(project, origin.receivedAt - (origin.receivedAt % HOUR_MS), origin.source)
  counts.set(key, (counts.get(key) ?? 0) + n)
}

/** As `addHeader`. What is no record counts for no project: resolve has kept its bytes and said so aloud. */
export const addRecord = (counts: Map<HourKey, number>, value: Uint8Array): void => {
  const header = headerOf(value)
  if (header) addHeader(counts, header)
}

const headerOf = (value: Uint8Array): RecordHeader | null => {
  try {
    return decodeHeader(value)
  } catch (error) {
    if (error instanceof RecordError) return null
    throw error
  }
}

export interface ReceivedDeps {
  readonly hot: HotStore
  readonly onFault: ConsumeOptions['onFault']
  readonly stored?: () => void
}

/**
 * Keeps how many events were received, by project, source and hour, as a fold over the headers of what ingest wrote.
 * It never looks at a line, so the count is independent of whatever else becomes of the events.
 */
export const receivedCounter = (deps: ReceivedDeps, topics: readonly string[]): ConsumeOptions => ({
  group: 'ledger',
  topics,
  batchRecordsMax: 5000,
  batchBytesMax: 8 * 1024 * 1024,
  lingerMs: 500,
  open: (assignment) => openCounter(deps, assignment),
  onFault: deps.onFault,
})

const openCounter = async ({ hot, stored }: ReceivedDeps, assignment: Assignment): Promise<PartitionConsumer> => {
  const scope = await openOwnScope(hot, receivedScope(assignment.topic, assignment.partition), assignment)
  return {
    from: scope.from,
    scope: scope.name,
    handle: async (batch) => ({
      outputs: [],
      state: {
        scope: scope.name,
        watermark: batch.end,
        puts: await addTo(scope, countHeaders(batch)),
        deletes: [],
        timers: [],
      },
    }),
    stored: ({ end }) => {
      scope.stored(end)
      stored?.()
    },
    close: () => Promise.resolve(),
  }
}

const countHeaders = (batch: Batch): ReadonlyMap<HourKey, number> => {
  const counts = new Map<HourKey, number>()
  for (const record of batch.records) addRecord(counts, record.value)
  return counts
}

const addTo = async (
  scope: OwnScope,
  counts: ReadonlyMap<HourKey, number>,
): Promise<readonly (readonly [HourKey, number])[]> => {
  const keys = [...counts.keys()]
  const before = await scope.get(keys)
  return keys.map((key, index) => [key, Number(before[index] ?? 0) + counts.get(key)!] as const)
}
