import type { ConsumeOptions, EventLog, PartitionConsumer } from '@millrace/ports'
import { Counter, Gauge, Histogram, type MetricsRegistry } from './metrics.ts'
import { onScrape, type ScrapeDeps } from './scrape.ts'

export interface ConsumerMetrics {
  /** The same consumer, counted. */
  measured(options: ConsumeOptions): ConsumeOptions
}

export type ConsumerMetricsDeps = ScrapeDeps & { readonly log: Pick<EventLog, 'extents' | 'committed'> }

const LAG_EVERY_MS = 1_000

/** Tells of a service's consumers how far behind they are, the size and time of their batches, and their faults. */
export const createConsumerMetrics = (deps: ConsumerMetricsDeps): ConsumerMetrics => {
  const metrics = metricsIn(deps.registry)
  const consumers: ConsumeOptions[] = []
  onScrape(deps, {
    name: 'consumer-lag',
    everyMs: LAG_EVERY_MS,
    ask: async () => {
      for (const { group, topics } of consumers) for (const topic of topics) await setLag(metrics, deps.log, group, topic)
    },
    forget: () => {
      metrics.position.reset()
      metrics.end.reset()
      metrics.lag.reset()
    },
  })
  return {
    measured: (options) => {
      consumers.push(options)
      return measuredBy(metrics, deps.clock, options)
    },
  }
}

type Metrics = ReturnType<typeof metricsIn>

const metricsIn = (registry: MetricsRegistry) => {
  const registers = [registry]
  const counter = (name: string, help: string) =>
    registry.shared(name, () => new Counter({ name, help, labelNames: ['group', 'topic'], registers }))
  const gauge = (name: string, help: string) =>
    registry.shared(name, () => new Gauge({ name, help, labelNames: ['group', 'topic', 'partition'], registers }))
  return {
    position: gauge('millrace_consumer_position', 'Offset up to which a group has committed a partition'),
    end: gauge('millrace_consumer_end', 'Offset that the next record of the partition will get'),
    lag: gauge('millrace_consumer_lag_records', 'Records of the log that a group has not committed yet'),
    records: registry.shared('millrace_consumer_batch_records', (name) =>
      new Histogram({ name, help: 'Records of a batch', labelNames: ['group'], registers, buckets: [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000] })),
    seconds: registry.shared('millrace_consumer_batch_seconds', (name) =>
      new Histogram({ name, help: 'Time in which a batch was handled, before its commit', labelNames: ['group'], registers, buckets: [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10] })),
    opened: counter('millrace_consumer_opened_total', 'Partitions that were opened: at the start, when they moved between copies, and again after a fault'),
    faults: counter('millrace_consumer_faults_total', 'Batches or openings that failed; the partition is opened again and the batch is repeated'),
  }
}

/** Positions before ends: a consumer that goes on meanwhile must not seem ahead. */
const setLag = async ({ position, end, lag }: Metrics, log: ConsumerMetricsDeps['log'], group: string, topic: string): Promise<void> => {
  const partitions = (await log.extents(topic)).map(({ partition }) => partition)
  const positions = await Promise.all(partitions.map(async (partition) => [partition, (await log.committed(group, topic, partition)).offset] as const))
  const extents = new Map((await log.extents(topic)).map((extent) => [extent.partition, extent]))
  for (const [partition, offset] of positions) {
    const { first, next } = extents.get(partition) ?? { first: 0, next: 0 }
    const labels = { group, topic, partition: String(partition) }
    position.set(labels, offset)
    end.set(labels, next)
    lag.set(labels, Math.max(0, next - Math.max(first, offset)))
  }
}

const measuredBy = (metrics: Metrics, clock: ConsumerMetricsDeps['clock'], options: ConsumeOptions): ConsumeOptions => {
  const { group, topics } = options
  for (const topic of topics) metrics.faults.inc({ group, topic }, 0)
  return {
    ...options,
    open: async (assignment) => {
      metrics.opened.inc({ group, topic: assignment.topic })
      return measuredPartition(metrics, clock, group, await options.open(assignment))
    },
    onFault: (error, at) => {
      metrics.faults.inc({ group, topic: at.topic })
      options.onFault(error, at)
    },
  }
}

const measuredPartition = (metrics: Metrics, clock: ConsumerMetricsDeps['clock'], group: string, consumer: PartitionConsumer): PartitionConsumer => ({
  // All that it says of itself, its scope for one: a log takes no state of a consumer that has not named it.
  ...consumer,
  handle: async (batch) => {
    const startedAt = clock.now()
    const step = await consumer.handle(batch)
    metrics.records.observe({ group }, batch.records.length)
    metrics.seconds.observe({ group }, Math.max(0, clock.now() - startedAt) / 1000)
    return step
  },
  stored: (batch) => consumer.stored?.(batch),
  close: () => consumer.close(),
})
