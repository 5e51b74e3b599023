import type { Project } from '@millrace/contracts'
import { topics } from '@millrace/contracts'
import { onCommand, onEvent, onPlaced } from '@millrace/identity'
import type { Assignment, Batch, ConsumeOptions, HotStore, PartitionConsumer } from '@millrace/ports'
import { consumeFaults, type Logger, openOwnScope } from '@millrace/service-kit'
import { loadRepeats } from '../repeats/repeats.ts'
import { ScopeDocuments } from '../scope-documents.ts'
import type { ProjectById } from './read-batch.ts'
import { readRecord } from './read-batch.ts'
import { resolveBatch, resolveScope } from './resolve-partition.ts'

export { resolveScope } from './resolve-partition.ts'
export { lookupKey } from './lookup.ts'

/** What the home does with a key; a test may pass others to see that a fault is found. */
export interface HomeFolds {
  readonly onEvent: typeof onEvent
  readonly onCommand: typeof onCommand
  readonly onPlaced: typeof onPlaced
}

export interface ResolvePartitions {
  readonly resolved: number
  readonly facts: number
}

export interface ResolveDeps {
  readonly hot: HotStore
  readonly projects: { all(): readonly Project[]; byId(id: number): Project | undefined; refresh(): Promise<void> }
  readonly logger: Pick<Logger, 'warn' | 'error'>
  readonly partitions?: ResolvePartitions
  readonly folds?: HomeFolds
  /** Key documents in memory for each partition. */
  readonly documentsMax?: number
}

const DOCUMENTS_MAX = 20_000

/** First consumer of profile-builder: events.accepted → events.resolved and identity.facts. */
export const openResolve = (deps: ResolveDeps): ConsumeOptions => ({
  group: 'resolve',
  topics: [topics.accepted.name],
  batchRecordsMax: 2_000,
  batchBytesMax: 256 * 1024,
  // Few events a record would make every consumer behind pay for many records.
  lingerMs: 10,
  open: (assignment) => openPartition(deps, assignment),
  onFault: consumeFaults(deps.logger, 'resolve'),
})

const openPartition = async (deps: ResolveDeps, assignment: Assignment): Promise<PartitionConsumer> => {
  const { hot, logger } = deps
  const { partition } = assignment
  const scope = await openOwnScope(hot, resolveScope(partition), assignment)
  await deps.projects.refresh()
  const state = {
    partition,
    cache: new ScopeDocuments(scope, deps.documentsMax ?? DOCUMENTS_MAX),
    repeats: await loadRepeats(scope, horizonMsMax(deps.projects.all())),
    folds: deps.folds ?? { onEvent, onCommand, onPlaced },
    partitions: deps.partitions ?? { resolved: topics.resolved.partitions, facts: topics.facts.partitions },
  }
  return {
    from: scope.from,
    scope: scope.name,
    async handle(batch: Batch) {
      const incoming = await readBatch(deps.projects, batch)
      const refused = incoming.filter((item) => item.kind === 'refused').length
      if (refused > 0 && !batch.replayed) logger.warn({ event: 'lines.refused', partition, refused }, 'kept in events.rejected')
      return resolveBatch(state, batch, incoming)
    },
    stored: ({ end }) => state.cache.stored(end),
    close: async () => {},
  }
}

const horizonMsMax = (projects: readonly Project[]): number =>
  projects.reduce((longest, { repeatHorizonMs }) => Math.max(longest, repeatHorizonMs), 0)

/** A project that was made a moment ago by another copy is looked up once more before its events are refused. */
const readBatch = async (projects: ResolveDeps['projects'], batch: Batch) => {
  let unknown = false
  const byId: ProjectById = (id) => {
    const project = projects.byId(id)
    unknown ||= !project
    return project
  }
  const incoming = batch.records.flatMap((record) => readRecord(record, byId))
  if (!unknown) return incoming
  await projects.refresh()
  return batch.records.flatMap((record) => readRecord(record, (id) => projects.byId(id)))
}
