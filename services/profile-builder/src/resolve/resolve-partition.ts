import type { AcceptedControl, Key, Project, RejectedLine } from '@millrace/contracts'
import { encodeRecord, homeKeyOf, identitiesOf, isNobody, shardOf, topics } from '@millrace/contracts'
import type { Carried, KeyDocument } from '@millrace/identity'
import { keyDocumentId, newKeyDocument, personOf } from '@millrace/identity'
import type { Batch, NewRecord, Step } from '@millrace/ports'
import type { Repeats } from '../repeats/repeats.ts'
import type { ScopeDocuments } from '../scope-documents.ts'
import { FactOutputs } from './fact-outputs.ts'
import type { HomeFolds, ResolvePartitions } from './index.ts'
import type { Incoming } from './read-batch.ts'
import { ResolvedOutputs } from './resolved-outputs.ts'

type IncomingEvent = Incoming & { readonly kind: 'event' }
type IncomingControl = Incoming & { readonly kind: 'control' }
type IncomingRefused = Incoming & { readonly kind: 'refused' }

interface Outputs {
  readonly resolved: ResolvedOutputs
  readonly facts: FactOutputs
  readonly rejected: NewRecord[]
}

export interface ResolveState {
  readonly partition: number
  readonly cache: ScopeDocuments
  readonly repeats: Repeats
  readonly folds: HomeFolds
  readonly partitions: ResolvePartitions
}

/** One batch of the home of its keys: repeats are dropped, keys are numbered, everything goes on under its person. */
export const resolveBatch = async (state: ResolveState, batch: Batch, incoming: readonly Incoming[]): Promise<Step> => {
  const outputs: Outputs = {
    resolved: new ResolvedOutputs(state.partitions.resolved, state.partition),
    facts: new FactOutputs(state.partitions.facts),
    rejected: [],
  }
  await state.cache.load(incoming.flatMap(documentsOf))
  for (const item of incoming) {
    if (item.kind === 'event') onEvent(state, outputs, item)
    else if (item.kind === 'control') onControl(state, outputs, item)
    else outputs.rejected.push(rejectedRecord(item))
  }
  const documents = state.cache.takeChanges()
  const seen = state.repeats.takeChanges()
  return {
    outputs: [...outputs.resolved.records(), ...outputs.facts.records(), ...outputs.rejected],
    state: {
      scope: resolveScope(state.partition),
      watermark: batch.end,
      puts: [...documents.puts, ...seen.puts],
      deletes: [...documents.deletes, ...seen.deletes],
      timers: [],
    },
  }
}

export const resolveScope = (partition: number): string => `resolve:${partition}`
const counterId = (project: number, shard: number): string => `counter/${project}/${shard}`

const keyOfControl = (line: AcceptedControl): Key | null => {
  switch (line.type) {
    case 'identity.command':
      return homeKeyOf(line.a, line.b)
    case 'key.placed':
    case 'state.backfilled':
      return line.key
    default:
      return null
  }
}

const documentsOf = (item: Incoming): readonly string[] => {
  if (item.kind === 'refused') return []
  const project = item.project.id
  if (item.kind === 'event') return [keyDocumentId(project, item.key), counterId(project, shardOf(project, item.key))]
  const key = keyOfControl(item.line)
  return key === null ? [] : [keyDocumentId(project, key)]
}

const keyDocument = ({ cache }: ResolveState, project: Project, key: Key): KeyDocument =>
  (cache.get(keyDocumentId(project.id, key)) as KeyDocument | null | undefined) ?? newKeyDocument

const put = ({ cache }: ResolveState, project: Project, key: Key, before: KeyDocument, after: KeyDocument): void => {
  if (after !== before) cache.set(keyDocumentId(project.id, key), after)
}

const onEvent = (state: ResolveState, { resolved, facts }: Outputs, item: IncomingEvent): void => {
  const { project, origin, event, key, offset, index, request, text } = item
  const { messageId, receivedAt } = event
  if (state.repeats.isRepeat({ project: project.id, key, messageId, receivedAt, horizonMs: project.repeatHorizonMs })) {
    resolved.repeat(project.id, origin)
    return
  }
  const shard = shardOf(project.id, key)
  const count = (state.cache.get(counterId(project.id, shard)) as number | null | undefined) ?? 0
  const before = keyDocument(state, project, key)
  const step = state.folds.onEvent(before, carriedBy(item), count * 64 + shard, offset)
  if (before.number === null) state.cache.set(counterId(project.id, shard), count + 1)
  const person = personOf(project.id, key, step.document)
  // Kept from the first event on: a hash for each event would be a good part of its cost.
  put(state, project, key, before, step.document.person === null ? { ...step.document, person } : step.document)
  facts.add(project.id, step.facts)
  const place = `[${state.partition},${offset},${index}]`
  const head = `"key":${JSON.stringify(key)},"number":${step.document.number},"epoch":${step.document.epoch},"person":"${person}","place":${place}${request === '' ? '' : `,"request":"${request}"`}`
  resolved.event(project.id, person, origin, head, text)
}

const carriedBy = ({ project, event, key }: IncomingEvent): Carried => ({
  key,
  others: isNobody(key) ? [] : identitiesOf(project, event),
  alias:
    event.type === 'alias' && event.userId !== null && event.previousId !== null
      ? { x: event.previousId, y: event.userId }
      : null,
  isAlias: event.type === 'alias',
  order: { time: event.timestamp, messageId: event.messageId },
  at: event.receivedAt,
})

const onControl = (state: ResolveState, { resolved, facts }: Outputs, { project, at, line }: IncomingControl): void => {
  switch (line.type) {
    case 'identity.command': {
      const key = homeKeyOf(line.a, line.b)
      const before = keyDocument(state, project, key)
      const step = state.folds.onCommand(before, line, at || line.order.time)
      put(state, project, key, before, step.document)
      return facts.add(project.id, step.facts)
    }
    case 'key.placed': {
      const before = keyDocument(state, project, line.key)
      const step = state.folds.onPlaced(project.id, before, line)
      put(state, project, line.key, before, step.document)
      if (step.left) resolved.line(project.id, step.left.person, step.left)
      if (step.expected) resolved.line(project.id, step.expected.person, step.expected)
      const [from, to] = [personOf(project.id, line.key, before), personOf(project.id, line.key, step.document)]
      if (from === to) return
      resolved.line(project.id, from, { type: 'key.left', key: line.key, of: from, epoch: step.document.epoch })
      resolved.line(project.id, to, { type: 'key.joined', key: line.key, of: to, epoch: step.document.epoch })
      return
    }
    case 'state.backfilled': {
      const { epoch, ...document } = keyDocument(state, project, line.key)
      const person = personOf(project.id, line.key, { ...document, epoch })
      return resolved.line(project.id, person, { ...line, epoch, person })
    }
    case 'backfill.completed':
      return resolved.toAll(project.id, { ...line, from: state.partition })
    default:
      return
  }
}

/** Its event was counted as received in events.accepted, so this record counts none. */
const rejectedRecord = ({ projectId, origin, request, bytes, refusal }: IncomingRefused): NewRecord => {
  const line: RejectedLine = { code: refusal.code, detail: refusal.detail, bytes: bytes.toString('base64'), messageId: null }
  const header = { kind: 'rejected', project: projectId, count: 0, origins: origin ? [origin] : [], requests: [request] } as const
  return { topic: topics.rejected.name, partition: 0, value: encodeRecord(header, [JSON.stringify(line)]) }
}

