import { join } from 'node:path'
import { createKafkaLog, createRedisHotStore, createSystemClock, createSystemIds, ensureKafkaTopics } from '@millrace/adapters'
import type { EventLog } from '@millrace/ports'
import { createProjects } from '@millrace/service-kit'
import { startKafka, startRedis, type RunningKafka } from '@millrace/testkit'
import { freePort } from '../support/millrace.ts'
import { root } from '../tidy/source-tree.ts'
import { createIngestProcess, type IngestProcess } from './ingest-process.ts'

/** An ingest that takes events of one project, over a broker and a Redis of its own. */
export interface IngestAlone {
  readonly ingest: IngestProcess
  readonly kafka: RunningKafka
  /** What it appends to, as somebody else reads it. */
  readonly log: EventLog
  readonly writeKey: string
  stop(): Promise<void>
}

const CACHE = join(root, 'node_modules/.cache/millrace')

/** @param env its settings beside its addresses */
export const startIngestAlone = async (env: Readonly<Record<string, string>>): Promise<IngestAlone> => {
  const [kafka, redis] = await Promise.all([startKafka(CACHE), startRedis(CACHE)])
  await ensureKafkaTopics(kafka.brokers)
  const [clock, ids] = [createSystemClock(), createSystemIds()]
  const hot = await createRedisHotStore({ urls: [redis.url], clock })
  const log = await createKafkaLog({ brokers: kafka.brokers, slot: 'test', hot })
  const { writeKey } = await createProjects({ hot, log, ids, clock }).create({ name: 'Chaos', zone: 'UTC', currency: 'USD' })
  const ingest = createIngestProcess(await freePort(), { KAFKA_BROKERS: kafka.brokers.join(','), REDIS_URLS: redis.url, ...env })
  const stop = async (): Promise<void> => {
    await ingest.kill()
    await log.close()
    await hot.close()
    await Promise.all([kafka.stop(), redis.stop()])
  }
  await ingest.start().catch((error: unknown) => stop().then(() => Promise.reject(error)))
  return { ingest, kafka, log, writeKey, stop }
}
