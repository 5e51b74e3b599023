import type { Batch, Committed, ConsumeOptions, HotStore, LogRecord, PartitionConsumer, Step, Subscription } from '@millrace/ports'
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import type { Membership, PatchedKafka } from './patched-kafkajs.ts'
import { createTransactor, partitionName, type PositionCommit, type Transactor } from './transactions.ts'

export interface KafkaConsumeDeps {
  readonly kafka: Kafka
  readonly generationOf: PatchedKafka['generationOf']
  /** Stable name of this copy: its transactional ids are `<group>-<slot>`. */
  readonly slot: string
  readonly hot: HotStore
  readonly committed: (group: string, topic: string, partition: number) => Promise<Committed>
}

interface Held {
  readonly consumer: PartitionConsumer
  readonly committed: Committed
  /** The position that the group has committed by now. */
  readonly position: { offset: number }
  /** Next offset that the handler has not seen; the reader is put back to it when kafkajs stands elsewhere. */
  next: number
}

const COLLECT_MS = 2
const FETCHES_TO_BE_IDLE = 3
const JOIN_TIMEOUT_MS = 30_000

/** One group member: batches in, one transaction a poll cycle out. */
export const consumeKafka = async (deps: KafkaConsumeDeps, options: ConsumeOptions): Promise<Subscription> => {
  const { kafka, hot } = deps
  // Before joining: ends at once what an earlier run of this copy left open.
  const transactor = await createTransactor(kafka, options.group, `${options.group}-${deps.slot}`)
  const consumer = kafka.consumer({
    groupId: options.group,
    sessionTimeout: 6000,
    heartbeatInterval: 1200,
    rebalanceTimeout: 9000,
    maxWaitTimeInMs: Math.max(options.lingerMs, 50),
    minBytes: options.lingerMs > 0 ? options.batchBytesMax : 1,
    maxBytesPerPartition: options.batchBytesMax,
    retry: { initialRetryTime: 4, multiplier: 1.5, maxRetryTime: 1000, retries: 1000, restartOnFailure: async () => true },
  })
  const held = new Map<string, Promise<Held>>()
  const collect = createCollector(transactor)
  let memberId = ''
  let fetches = 0
  let busy = 0

  const membership = (): Membership => ({ memberId, generationId: deps.generationOf(memberId) ?? -1 })

  const open = async (topic: string, partition: number): Promise<Held> => {
    const committed = await deps.committed(options.group, topic, partition)
    const position = { offset: committed.offset }
    const opened = await options.open({
      topic,
      partition,
      committed,
      declare: (metadata) => collect({ outputs: [], positions: [{ topic, partition, offset: position.offset, metadata }], membership: membership() }),
    })
    return { consumer: opened, committed, position, next: opened.from }
  }
  const letGo = async (name: string): Promise<void> => {
    const gone = held.get(name)
    held.delete(name)
    await gone?.then(({ consumer: partition }) => partition.close()).catch(() => undefined)
  }
  const take = (topic: string, partition: number): Promise<Held> => {
    const name = partitionName({ topic, partition })
    const opening = held.get(name) ?? open(topic, partition)
    held.set(name, opening)
    return opening
  }

  const joined = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`group ${options.group} was not joined in ${JOIN_TIMEOUT_MS} ms`)), JOIN_TIMEOUT_MS)
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      clearTimeout(late)
      memberId = payload.memberId
      // Another owner may have moved the positions meanwhile: what was in memory is worth nothing now.
      void Promise.all([...held.keys()].map(letGo)).then(() => {
        for (const [topic, partitions] of Object.entries(payload.memberAssignment))
          for (const partition of partitions) take(topic, partition).catch((error: unknown) => fault(error, topic, partition))
        resolve()
      })
    })
  })
  consumer.on(consumer.events.FETCH, () => void fetches++)

  const fault = (error: unknown, topic: string, partition: number): void => {
    options.onFault(error, { topic, partition })
    void letGo(partitionName({ topic, partition }))
  }

  const handle = async ({ batch, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> => {
    const { topic, partition } = batch
    const pair = membership()
    busy++
    try {
      const current = await take(topic, partition)
      const first = Number(batch.firstOffset() ?? batch.messages[0]?.offset ?? current.next)
      // Only at the start of a stay: afterwards both stand at the same place.
      if (first > current.next && current.next < current.committed.offset) return consumer.seek({ topic, partition, offset: String(current.next) })
      const records = batch.messages.map((message) => toRecord(topic, partition, message)).filter(({ offset }) => offset >= current.next)
      const caughtUp = Number(batch.offsetLag()) <= 0
      for (const part of split(records, Number(batch.lastOffset()) + 1, current, options, caughtUp)) {
        const step = await current.consumer.handle(part)
        if (!part.replayed) {
          await collect({ outputs: step.outputs, positions: [positionOf(topic, partition, part, step)], membership: pair })
          current.position.offset = part.end
        }
        if (step.state) await hot.apply(step.state)
        current.consumer.stored?.(part)
        current.next = part.end
        resolveOffset(String(part.end - 1))
        await heartbeat()
      }
    } catch (error) {
      fault(error, topic, partition)
      const { offset } = await deps.committed(options.group, topic, partition)
      consumer.seek({ topic, partition, offset: String(offset) })
    } finally {
      busy--
    }
  }

  await consumer.connect()
  await consumer.subscribe({ topics: [...options.topics], fromBeginning: true })
  await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: 64, eachBatch: handle })
  await joined
  return {
    drain: () => drained(consumer, () => ({ fetches, busy })),
    async stop() {
      await consumer.disconnect()
      await Promise.all([...held.keys()].map(letGo))
      await transactor.close()
    },
  }
}

const toRecord = (topic: string, partition: number, message: { offset: string; value: Buffer | null }): LogRecord => ({
  topic,
  partition,
  offset: Number(message.offset),
  value: message.value ?? Buffer.alloc(0),
})

const positionOf = (topic: string, partition: number, batch: Batch, step: Step): PositionCommit => ({
  topic,
  partition,
  offset: batch.end,
  metadata: step.metadata ?? '',
})

/** Cuts a fetched batch at the committed position, at a declared batch's end, and at the bounds. */
const split = (records: readonly LogRecord[], end: number, held: Held, options: ConsumeOptions, caughtUp: boolean): readonly Batch[] => {
  const { committed, consumer } = held
  const parts: Batch[] = []
  let part: LogRecord[] = []
  let bytes = 0
  const cut = (at: number, last: boolean): void => {
    if (part.length > 0 || last) parts.push({ records: part, end: at, replayed: at <= committed.offset, caughtUp: last && caughtUp })
    part = []
    bytes = 0
  }
  for (const record of records) {
    const mustCut = record.offset === committed.offset || record.offset === consumer.firstBatchEnd
    const isFull = part.length >= options.batchRecordsMax || (part.length > 0 && bytes + record.value.length > options.batchBytesMax)
    if (mustCut || (isFull && !(consumer.firstBatchEnd && record.offset < consumer.firstBatchEnd))) cut(record.offset, false)
    part.push(record)
    bytes += record.value.length
  }
  cut(end, true)
  return parts
}

/** Steps of several partitions that end at about the same time share one transaction. */
const createCollector = (transactor: Transactor) => {
  type Entry = Parameters<Transactor['commit']>[0] & { resolve(): void; reject(error: unknown): void }
  let waiting: Entry[] = []
  const flush = (): void => {
    const entries = waiting
    waiting = []
    const membership = entries[0]!.membership
    transactor
      .commit({ outputs: entries.flatMap(({ outputs }) => outputs), positions: entries.flatMap(({ positions }) => positions), membership })
      .then(() => entries.forEach(({ resolve }) => resolve()), (error: unknown) => entries.forEach(({ reject }) => reject(error)))
  }
  return (entry: Parameters<Transactor['commit']>[0]): Promise<void> =>
    new Promise((resolve, reject) => {
      const shares = waiting.length === 0 || waiting[0]!.membership.generationId === entry.membership.generationId
      if (!shares) flush()
      waiting.push({ ...entry, resolve, reject })
      if (waiting.length === 1) setTimeout(flush, COLLECT_MS)
    })
}

/** Offsets of a transactional topic have gaps, so "read to the end" shows only in fetches that bring nothing. */
const drained = (consumer: Consumer, state: () => { fetches: number; busy: number }): Promise<void> =>
  new Promise((resolve) => {
    let quiet = 0
    const remove = consumer.on(consumer.events.FETCH, ({ payload }) => {
      quiet = payload.numberOfBatches === 0 && state().busy === 0 ? quiet + 1 : 0
      if (quiet >= FETCHES_TO_BE_IDLE) {
        remove()
        resolve()
      }
    })
  })
