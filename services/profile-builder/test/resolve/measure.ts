import type { IdentityFact } from '@millrace/contracts'
import { topics } from '@millrace/contracts'
import { decide } from '@millrace/identity'
import type { Batch, Assignment, HotStore, LogRecord, PartitionConsumer, StateWrite, Step } from '@millrace/ports'
import { openIdentity } from '../../src/identity/index.ts'
import { openResolve } from '../../src/resolve/index.ts'
import { projectOf } from '../identity/simulation/history.ts'
import { eventRecords, ORIGIN } from './embedded.ts'

export interface ResolveMeasured {
  readonly events: number
  readonly microsPerEvent: number
  readonly facts: number
  readonly microsPerFact: number
  readonly factsPerSecond: number
  readonly known: number
  /** One more link when that many people are known: decisions alone. */
  readonly microsPerLink: number
  /** Documents that such a decision reads. */
  readonly readsPerLink: number
}

const BATCH = 100

/**
 * CPU time of resolve for an event and of identity for a fact, with documents in memory; without log and disk.
 * Every fifth event is of a device, each user signs in on one device.
 */
export const measureResolve = async (users: number, eventsOfUser: number): Promise<ResolveMeasured> => {
  const project = projectOf()
  const store = memoryStore()
  const deps = {
    hot: store.hot,
    projects: { all: () => [project], byId: () => project, refresh: async () => {} },
    logger: { warn: () => {}, error: () => {} },
    documentsMax: 10_000_000,
  }
  const resolve = openResolve(deps)
  const partitions = await Promise.all(
    Array.from({ length: topics.accepted.partitions }, (_, partition) => resolve.open(assignment(topics.accepted.name, partition))),
  )
  const batches = batchesOf(project, users, eventsOfUser)
  const facts: Uint8Array[] = []
  const started = process.cpuUsage()
  for (const [offset, { partition, records }] of batches.entries()) {
    const step = await handle(partitions[partition]!, store, batchOf(topics.accepted.name, partition, offset, records))
    for (const output of step.outputs) if (output.topic === topics.facts.name) facts.push(output.value)
  }
  const resolved = process.cpuUsage()
  const identity = await openIdentity(deps).open(assignment(topics.facts.name, 0))
  const decided = process.cpuUsage()
  for (let at = 0; at < facts.length; at += BATCH) {
    await handle(identity, store, batchOf(topics.facts.name, 0, at, facts.slice(at, at + BATCH)))
  }
  const done = process.cpuUsage()
  const events = users * eventsOfUser
  const microsPerFact = cpuBetween(decided, done) / facts.length
  return {
    events,
    microsPerEvent: round(cpuBetween(started, resolved) / events),
    facts: facts.length,
    microsPerFact: round(microsPerFact),
    factsPerSecond: Math.round(1e6 / microsPerFact),
    known: users,
    ...measureLinks(project, store, facts, users),
  }
}

const measureLinks = (project: ReturnType<typeof projectOf>, store: MemoryStore, facts: readonly Uint8Array[], users: number) => {
  const documents = store.scopes.get('identity:0')!
  const links = Math.min(users, 2000)
  let reads = 0
  const read = (id: string): unknown => {
    reads++
    return documents.get(id) ?? null
  }
  const started = process.cpuUsage()
  for (let at = 0; at < links; at++) {
    const order = { time: ORIGIN.receivedAt + at, messageId: `x${at}` }
    const fact: IdentityFact = { type: 'pair.linked', a: `user_id:user-${at}`, b: `anonymous_id:new-${at}`, first: order, unlinkedUpTo: null, at: 0 }
    const { puts } = decide(project, read, fact, { offset: facts.length + at })
    for (const [id, document] of puts) documents.set(id, document)
  }
  return { microsPerLink: round(cpuBetween(started, process.cpuUsage()) / links), readsPerLink: reads / links }
}

const batchesOf = (project: ReturnType<typeof projectOf>, users: number, eventsOfUser: number) => {
  const batches: { readonly partition: number; readonly records: readonly Uint8Array[] }[] = []
  let events: Record<string, unknown>[] = []
  for (let index = 0; index < users * eventsOfUser; index++) {
    const user = index % users
    const round = Math.floor(index / users)
    events.push({
      type: 'track',
      event: 'Product Viewed',
      messageId: `node-next-${index}-4c8f-9b1d-5e2a`,
      timestamp: new Date(ORIGIN.receivedAt - 1000 + round).toISOString(),
      ...(round % 5 !== 0 && { userId: `user-${user}` }),
      ...(round % 5 < 2 && { anonymousId: `device-${user}` }),
      properties: { productId: `p-${index % 500}`, price: 12.5, category: 'Shoes', url: 'https://shop.example/products/12', position: 3 },
      context: { library: { name: '@segment/analytics-node', version: '3.1.0' }, page: { path: '/products/12' } },
    })
    if (events.length < BATCH) continue
    for (const { partition, value } of eventRecords(project, events)) batches.push({ partition, records: [value] })
    events = []
  }
  return batches
}

interface MemoryStore {
  readonly hot: HotStore
  readonly scopes: Map<string, Map<string, unknown>>
  readonly marks: Map<string, number>
}

const memoryStore = (): MemoryStore => {
  const scopes = new Map<string, Map<string, unknown>>()
  const marks = new Map<string, number>()
  const hot = {
    watermark: async (scope: string) => marks.get(scope) ?? null,
    get: async (scope: string, keys: readonly string[]) => keys.map((key) => scopes.get(scope)?.get(key)),
    scan: async () => [],
  }
  return { hot: hot as unknown as HotStore, scopes, marks }
}

const handle = async (consumer: PartitionConsumer, store: MemoryStore, batch: Batch): Promise<Step> => {
  const step = await consumer.handle(batch)
  write(store, step.state!)
  consumer.stored?.(batch)
  return step
}

const write = ({ scopes, marks }: MemoryStore, { scope, watermark, puts, deletes }: StateWrite): void => {
  const documents = scopes.get(scope) ?? new Map<string, unknown>()
  scopes.set(scope, documents)
  for (const [key, document] of puts) documents.set(key, document)
  for (const key of deletes) documents.delete(key)
  marks.set(scope, watermark)
}

const assignment = (topic: string, partition: number): Assignment => ({
  topic,
  partition,
  committed: { offset: 0, metadata: '' },
  declare: async () => {},
})

const batchOf = (topic: string, partition: number, offset: number, values: readonly Uint8Array[]): Batch => ({
  records: values.map((value, index): LogRecord => ({ topic, partition, offset: offset + index, value })),
  end: offset + values.length,
  replayed: false,
  caughtUp: true,
})

const cpuBetween = (before: NodeJS.CpuUsage, after: NodeJS.CpuUsage): number =>
  after.user - before.user + after.system - before.system

const round = (value: number): number => Math.round(value * 100) / 100
