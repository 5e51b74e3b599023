import type { IdentityFact, Project } from '@millrace/contracts'
import { decodeRecord, topics } from '@millrace/contracts'
import { decide } from '@millrace/identity'
import type { Assignment, Batch, ConsumeOptions, HotStore, LogRecord, PartitionConsumer } from '@millrace/ports'
import { consumeFaults, type Logger, openOwnScope } from '@millrace/service-kit'
import { ScopeDocuments } from '../scope-documents.ts'
import { decideBatch, identityScope } from './decide-batch.ts'

export { keysOfPerson, lookupIdentity } from './lookup.ts'

export interface IdentityDeps {
  readonly hot: HotStore
  readonly projects: { byId(id: number): Project | undefined; refresh(): Promise<void> }
  readonly logger: Pick<Logger, 'warn' | 'error'>
  readonly partitions?: { readonly accepted: number; readonly map: number }
  readonly decide?: typeof decide
  /** Documents of ids, links and persons in memory. */
  readonly documentsMax?: number
}

const DOCUMENTS_MAX = 50_000

export interface FactAt {
  readonly project: Project
  readonly offset: number
  readonly fact: IdentityFact
}

/** Second consumer of profile-builder, the one writer of each project: identity.facts → placements and the map. */
export const openIdentity = (deps: IdentityDeps): ConsumeOptions => ({
  group: 'identity',
  topics: [topics.facts.name],
  // At least what all partitions of resolve tell while one batch is decided. With 1,000 an import left 73,000 facts
  // behind, and a merge that was asked for after it waited for all of them.
  batchRecordsMax: 10_000,
  batchBytesMax: 2 * 1024 * 1024,
  lingerMs: 0,
  open: (assignment) => openPartition(deps, assignment),
  onFault: consumeFaults(deps.logger, 'identity'),
})

const openPartition = async (deps: IdentityDeps, assignment: Assignment): Promise<PartitionConsumer> => {
  const scope = await openOwnScope(deps.hot, identityScope(assignment.partition), assignment)
  const state = {
    scope: scope.name,
    cache: new ScopeDocuments(scope, deps.documentsMax ?? DOCUMENTS_MAX),
    decide: deps.decide ?? decide,
    partitions: deps.partitions ?? { accepted: topics.accepted.partitions, map: topics.map.partitions },
  }
  return {
    from: scope.from,
    scope: scope.name,
    async handle(batch: Batch) {
      const { facts, unknown } = await readFacts(deps.projects, batch)
      if (unknown > 0) deps.logger.warn({ event: 'facts.skipped', unknown }, 'of no known project')
      return decideBatch(state, batch, facts)
    },
    stored: ({ end }) => state.cache.stored(end),
    close: async () => {},
  }
}

const readFacts = async (projects: IdentityDeps['projects'], batch: Batch) => {
  const facts: FactAt[] = []
  let unknown = 0
  for (const record of batch.records) {
    const { header, lines } = decodeRecord(record.value)
    if (!projects.byId(header.project)) await projects.refresh()
    const project = projects.byId(header.project)
    if (project) facts.push(...factsIn(record, project, lines()))
    else unknown++
  }
  return { facts, unknown }
}

const factsIn = ({ offset }: LogRecord, project: Project, lines: readonly Buffer[]): readonly FactAt[] =>
  lines.map((line) => ({ project, offset, fact: JSON.parse(line.toString()) as IdentityFact }))
