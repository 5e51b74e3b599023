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

/**
 * Loaded and decided at once, some 20 ms of work; requests and other consumers have a turn behind it. With fewer, an
 * import would give most of the time to the others, whose turns are longer, and identity would fall behind.
 */
const FACTS_AT_ONCE = 500

/** One batch of facts, in their order; all that changed is one write with the position (R15). */
export const decideBatch = async (state: IdentityState, batch: Batch, facts: readonly FactAt[]): Promise<Step> => {
  const outputs = new IdentityOutputs(state.partitions)
  for (let from = 0; from < facts.length; from += FACTS_AT_ONCE) {
    if (from > 0) await new Promise<void>((resolve) => setImmediate(resolve))
    await decideSome(state, facts.slice(from, from + FACTS_AT_ONCE), outputs)
  }
  const changes = state.cache.takeChanges()
  return { outputs: outputs.records(), state: { scope: state.scope, watermark: batch.end, ...changes, timers: [] } }
}

const decideSome = async (state: IdentityState, facts: readonly FactAt[], outputs: IdentityOutputs): Promise<void> => {
  await state.cache.load(facts.flatMap(documentsOf))
  for (const at of facts) {
    const decision = await decided(state, at)
    for (const [id, document] of decision.puts) state.cache.set(id, document)
    outputs.add(at.project.id, decision)
  }
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

/** Lines of one record, about: more become several, so that no record outgrows what a broker takes. */
const RECORD_CHARS_MAX = 256 * 1024

interface Group {
  readonly project: number
  readonly partition: number
  readonly lines: string[]
  chars: number
}

/** Lines by partition and project, in their order. */
const grouped = <Item extends Line>(items: Iterable<Item>, partitionOf: (item: Item) => number): readonly Group[] => {
  const groups: Group[] = []
  const open = new Map<string, Group>()
  for (const item of items) {
    const partition = partitionOf(item)
    const id = `${item.project}/${partition}`
    let group = open.get(id)
    if (!group || group.chars >= RECORD_CHARS_MAX) {
      groups.push((group = { project: item.project, partition, lines: [], chars: 0 }))
      open.set(id, group)
    }
    const text = JSON.stringify(item.line)
    group.lines.push(text)
    group.chars += text.length
  }
  return groups
}
