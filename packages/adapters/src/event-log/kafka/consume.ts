import { SubscriptionEnded, type ConsumeOptions, type HotStore, type Subscription } from '@millrace/ports'
import type { Client } from './client.ts'
import { startFetchLoop } from './fetch-loop.ts'
import { stayInGroup, type Assigned } from './membership.ts'
import type { Names } from './names.ts'
import { runPartition, type PartitionRun } from './partition.ts'
import type { Positions } from './positions.ts'
import type { Membership } from './repairs.ts'
import { createTransactor, type Transaction, type Transactor } from './transactions.ts'

export interface KafkaConsumeDeps {
  readonly client: Client
  readonly names: Names
  /** Stable name of this copy: its transactional ids are `<group>-<slot>`. */
  readonly slot: string
  readonly hot: HotStore
  readonly positions: Positions
  readonly sessionTimeoutMs: number
  readonly transactionTimeoutMs: number
  readonly probe: (point: string) => void
}

const COLLECT_MS = 2
const STOP_MS_MAX = 8_000

/** One group member: fetches in, one transaction a poll cycle out. */
export const consumeKafka = async (deps: KafkaConsumeDeps, options: ConsumeOptions): Promise<Subscription> => {
  const { client, names, probe } = deps
  const group = names.toKafka(options.group)
  const topics = options.topics.map(names.toKafka)
  // Before joining: ends at once what an earlier run of this copy left open.
  const transactor = await createTransactor(client.kafka, { name: options.group, group, transactionalId: `${group}-${deps.slot}`, names, timeoutMs: deps.transactionTimeoutMs, probe })
  const cluster = client.createCluster()
  const commit = createCollector(transactor)
  const runs = new Map<string, PartitionRun>()
  const loop = startFetchLoop({ cluster, topics, targets: () => [...runs.values()] })
  let ended: SubscriptionEnded | null = null
  let stopping: Promise<void> | null = null
  let joined = (): void => {}
  const firstJoin = new Promise<void>((resolve) => (joined = resolve))

  const start = (kafkaTopic: string, partition: number, member: Membership): PartitionRun => {
    const topic = names.fromKafka(kafkaTopic)
    return runPartition({
      topic, kafkaTopic, partition, options, member, commit, hot: deps.hot, probe,
      stored: () => deps.positions.stored(options.group, topic, partition),
      extent: () => deps.positions.extent(topic, partition),
      wakeFetch: () => loop.wake(),
    })
  }
  /** One after another: a partition that comes back while its last stay still ends must not be open twice. */
  let assigning: Promise<void> = Promise.resolve()
  const assigned = (member: Membership, assignment: Assigned): void => {
    const places = Object.entries(assignment).flatMap(([topic, partitions]) => partitions.map((partition) => ({ topic, partition })))
    const mine = new Map<string, { topic: string; partition: number }>(places.map((place) => [`${place.topic}/${place.partition}`, place]))
    // At once: what was read under the former pair must not be taken for what this one may commit.
    for (const [name, run] of runs) if (mine.has(name)) run.rejoin(member)
    const before = assigning
    assigning = (async () => {
      await before
      const gone = [...runs].filter(([name]) => !mine.has(name))
      await Promise.all(gone.map(([name, run]) => run.stop().finally(() => runs.delete(name))))
      if (stopping) return
      for (const [name, { topic, partition }] of mine) {
        const run = runs.get(name)
        if (run) run.rejoin(member)
        else runs.set(name, start(topic, partition, member))
      }
      loop.wake()
      joined()
    })()
  }
  const stopReading = async (): Promise<void> => {
    await assigning
    await Promise.all([...runs.values()].map((run) => run.stop()))
    await loop.stop()
  }
  const stay = stayInGroup({
    cluster, group, topics, sessionTimeoutMs: deps.sessionTimeoutMs, assigned,
    ended: (error) => {
      ended = new SubscriptionEnded(options.group, error)
      options.onFault(ended, { topic: options.topics[0]!, partition: -1 })
      joined()
    },
  })
  await firstJoin
  return {
    async drain() {
      await assigning
      const extents = new Map(await Promise.all(options.topics.map(async (topic) => [names.toKafka(topic), await deps.positions.extents(topic)] as const)))
      if (ended) throw ended
      await Promise.all([...runs.values()].map((run) => run.reach(extents.get(run.topic)!.find(({ partition }) => partition === run.partition)!.next)))
    },
    stop: () =>
      (stopping ??= (async () => {
        // Without a broker a step would go on trying to commit: it is not stored, and comes again.
        await Promise.race([stopReading(), new Promise((resolve) => setTimeout(resolve, STOP_MS_MAX).unref())])
        await stay.stop()
        await transactor.close()
        await cluster.disconnect()
      })()),
  }
}

/** Steps of several partitions that end at about the same time share one transaction; never under two memberships. */
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
      const first = waiting[0]?.membership
      if (first && (first.generationId !== transaction.membership.generationId || first.memberId !== transaction.membership.memberId)) flush()
      waiting.push({ ...transaction, resolve, reject })
      if (waiting.length === 1) setTimeout(flush, COLLECT_MS)
    })
}
