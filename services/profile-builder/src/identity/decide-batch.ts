import type { KeyPlaced, MapLine } from '@millrace/contracts'
import { encodeRecord, homeOf, partitionOfProject, shardOf, topics } from '@millrace/contracts'
import type { Decision, decide } from '@millrace/identity'
import { baseDocumentId, baseOf, keysOfFact, linkDocumentId, NotLoaded } from '@millrace/identity'
import type { Batch, NewRecord, Step } from '@millrace/ports'
import type { ScopeDocuments } from '../scope-documents.ts'
import type { FactAt } from './index.ts'

export interface IdentityState {
  readonly scope: string
  readonly cache: ScopeDocuments
  readonly decide: typeof decide
  readonly partitions: { readonly accepted: number; readonly map: number }
}

export const identityScope = (partition: number): string => `identity:${partition}`

/** One batch of facts, in their order; all that changed is one write with the position (R15). */
export const decideBatch = async (state: IdentityState, batch: Batch, facts: readonly FactAt[]): Promise<Step> => {
  const { cache } = state
  await cache.load(facts.flatMap(documentsOf))
  const outputs = new IdentityOutputs(state.partitions)
  for (const at of facts) {
    const decision = await decided(state, at)
    for (const [id, document] of decision.puts) cache.set(id, document)
    outputs.add(at.project.id, decision)
  }
  return { outputs: outputs.records(), state: { scope: state.scope, watermark: batch.end, ...cache.takeChanges(), timers: [] } }
}

/** What every decision on the fact reads; the rest of its walk depends on these. */
const documentsOf = ({ project, fact }: FactAt): readonly string[] => {
  const bases = keysOfFact(fact).map(baseOf)
  const own = bases.map((base) => baseDocumentId(project.id, base))
  return bases.length === 2 ? [...own, linkDocumentId(project.id, bases[0]!, bases[1]!)] : own
}

/** A decision walks from document to document; each ring of it that is not in memory is loaded at once. */
const decided = async ({ cache, decide }: IdentityState, { project, fact, offset }: FactAt): Promise<Decision> => {
  for (;;) {
    try {
      return decide(project, cache.get, fact, { offset })
    } catch (error) {
      if (!(error instanceof NotLoaded)) throw error
      await cache.load(error.ids)
    }
  }
}

/** What one batch says: of a key's placements and a number's map only the last, since the earlier were never acted on. */
class IdentityOutputs {
  private readonly placed = new Map<string, { readonly project: number; readonly line: KeyPlaced }>()
  private readonly map = new Map<string, { readonly project: number; readonly line: MapLine }>()
  private readonly partitions: IdentityState['partitions']

  constructor(partitions: IdentityState['partitions']) {
    this.partitions = partitions
  }

  add(project: number, { placed, map }: Decision): void {
    for (const line of placed) replace(this.placed, `${project}/${line.key}`, { project, line })
    for (const line of map) replace(this.map, `${project}/${mapLineKey(line)}`, { project, line })
  }

  records(): readonly NewRecord[] {
    const { accepted, map } = this.partitions
    const placed = grouped(this.placed.values(), ({ project, line }) => homeOf(shardOf(project, line.key), accepted))
    const mapped = grouped(this.map.values(), ({ project }) => partitionOfProject(project, map))
    return [
      ...placed.map(({ project, partition, lines }) => {
        const value = encodeRecord({ kind: 'control', project, count: 0, origins: [] }, lines)
        return { topic: topics.accepted.name, partition, value }
      }),
      ...mapped.map(({ project, partition, lines }) => {
        const value = encodeRecord({ kind: 'map', project, count: 0, origins: [] }, lines)
        return { topic: topics.map.name, partition, key: String(project), value }
      }),
    ]
  }
}

const mapLineKey = (line: MapLine): string => (line.type === 'number.mapped' ? String(line.number) : `${line.a}\n${line.b}`)

const replace = <Value>(map: Map<string, Value>, key: string, value: Value): void => {
  map.delete(key)
  map.set(key, value)
}

interface Line {
  readonly project: number
  readonly line: unknown
}

const grouped = <Item extends Line>(items: Iterable<Item>, partitionOf: (item: Item) => number) => {
  const groups = new Map<string, { readonly project: number; readonly partition: number; readonly lines: string[] }>()
  for (const item of items) {
    const partition = partitionOf(item)
    const id = `${item.project}/${partition}`
    const group = groups.get(id) ?? { project: item.project, partition, lines: [] }
    groups.set(id, group)
    group.lines.push(JSON.stringify(item.line))
  }
  return [...groups.values()]
}
