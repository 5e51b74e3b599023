import type { Committed, ConsumeOptions, HotStore, Subscription } from '@millrace/ports'
import type { Consumer, Kafka } from 'kafkajs'
import type { Names } from './names.ts'
import { runPartition, type PartitionRun } from './partition.ts'
import type { Membership, PatchedKafka } from './patched-kafkajs.ts'
import { createTransactor, type Transaction, type Transactor } from './transactions.ts'

export interface KafkaConsumeDeps {
  readonly kafka: Kafka
  readonly generationOf: PatchedKafka['generationOf']
  readonly names: Names
  /** Stable name of this copy: its transactional ids are `<group>-<slot>`. */
  readonly slot: string
  readonly hot: HotStore
  readonly committed: (group: string, topic: string, partition: number) => Promise<Committed>
  readonly first: (topic: string, partition: number) => Promise<number>
}

const COLLECT_MS = 2
const FETCHES_TO_BE_IDLE = 4
const JOIN_TIMEOUT_MS = 30_000
const FETCH_WAIT_MS = 50

/** One group member: fetches in, one transaction a poll cycle out. */
export const consumeKafka = async (deps: KafkaConsumeDeps, options: ConsumeOptions): Promise<Subscription> => {
  const { kafka, names } = deps
  const group = names.toKafka(options.group)
  // Before joining: ends at once what an earlier run of this copy left open.
  const transactor = await createTransactor(kafka, { group, transactionalId: `${group}-${deps.slot}`, names })
  const consumer = kafka.consumer({
    groupId: group,
    sessionTimeout: 6000,
    heartbeatInterval: 1200,
    rebalanceTimeout: 9000,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    retry: { initialRetryTime: 4, multiplier: 1.5, maxRetryTime: 1000, retries: 1000, restartOnFailure: async () => true },
  })
  const runs = new Map<string, PartitionRun>()
  const commit = createCollector(transactor)
  let memberId = ''
  const membership = (): Membership => ({ memberId, generationId: deps.generationOf(memberId) ?? -1 })

  const start = (topic: string, partition: number): PartitionRun =>
    runPartition({
      topic, partition, options, membership, commit, hot: deps.hot,
      committed: () => deps.committed(options.group, topic, partition),
      first: () => deps.first(topic, partition),
      seek: (offset) => consumer.seek({ topic: names.toKafka(topic), partition, offset: String(offset) }),
    })
  const assigned = async (assignment: Readonly<Record<string, readonly number[]>>): Promise<void> => {
    const mine = Object.entries(assignment).flatMap(([topic, partitions]) => partitions.map((partition) => [`${topic}/${partition}`, topic, partition] as const))
    const keep = new Set<string>(mine.map(([name]) => name))
    await Promise.all([...runs].filter(([name]) => !keep.has(name)).map(([name, run]) => (runs.delete(name), run.stop())))
    for (const [name, topic, partition] of mine) {
      const run = runs.get(name)
      if (run) run.rejoin()
      else runs.set(name, start(names.fromKafka(topic), partition))
    }
  }
  const joined = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`group ${group} was not joined in ${JOIN_TIMEOUT_MS} ms`)), JOIN_TIMEOUT_MS)
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      clearTimeout(late)
      memberId = payload.memberId
      assigned(payload.memberAssignment).then(resolve, reject)
    })
  })

  await consumer.connect()
  await consumer.subscribe({ topics: options.topics.map(names.toKafka), fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: 64,
    eachBatch: async ({ batch, resolveOffset, isStale }) => {
      if (isStale()) return
      const topic = names.fromKafka(batch.topic)
      // The reader runs ahead of the handler; the position of the group moves by transactions only.
      resolveOffset(batch.messages.at(-1)!.offset)
      await runs.get(`${batch.topic}/${batch.partition}`)?.push({
        fetchedFrom: Number((batch as unknown as { fetchedOffset: string }).fetchedOffset),
        records: batch.messages.map(({ offset, value }) => ({ topic, partition: batch.partition, offset: Number(offset), value: value ?? Buffer.alloc(0) })),
        end: Number(batch.lastOffset()) + 1,
        caughtUp: Number(batch.offsetLag()) <= 0,
      })
    },
  })
  await joined
  return {
    drain: () => drained(consumer, () => [...runs.values()].every((run) => run.isIdle())),
    async stop() {
      await Promise.all([...runs.values()].map((run) => run.stop()))
      await consumer.disconnect()
      await transactor.close()
    },
  }
}

/** Steps of several partitions that end at about the same time share one transaction. */
const createCollector = (transactor: Transactor): ((transaction: Transaction) => Promise<void>) => {
  type Entry = Transaction & { resolve(): void; reject(error: unknown): void }
  let waiting: Entry[] = []
  const flush = (): void => {
    const entries = waiting
    waiting = []
    if (entries.length === 0) return
    transactor
      .commit({
        outputs: entries.flatMap(({ outputs }) => outputs),
        positions: entries.flatMap(({ positions }) => positions),
        membership: entries[0]!.membership,
      })
      .then(() => entries.forEach(({ resolve }) => resolve()), (error: unknown) => entries.forEach(({ reject }) => reject(error)))
  }
  return (transaction) =>
    new Promise((resolve, reject) => {
      if (waiting[0] && waiting[0].membership.generationId !== transaction.membership.generationId) flush()
      waiting.push({ ...transaction, resolve, reject })
      if (waiting.length === 1) setTimeout(flush, COLLECT_MS)
    })
}

/** Offsets of a transactional topic have gaps, so "read to the end" shows only in fetches that bring nothing. */
const drained = (consumer: Consumer, isIdle: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    let quiet = 0
    const remove = consumer.on(consumer.events.FETCH, ({ payload }) => {
      quiet = payload.numberOfBatches === 0 && isIdle() ? quiet + 1 : 0
      if (quiet < FETCHES_TO_BE_IDLE) return
      remove()
      resolve()
    })
  })
