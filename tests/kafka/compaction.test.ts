import { createKafkaLog, ensureKafkaTopics } from '@millrace/adapters'
import { topics } from '@millrace/contracts'
import type { EventLog, HotStore, LogRecord } from '@millrace/ports'
import { kafkaMissing, startKafka, type RunningKafka } from '@millrace/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { skipped } from '../support/requirements.ts'
import { cache, until } from './pipeline.ts'

const NO_STATE = {} as HotStore
const KEYS = 20
const ROUNDS_MAX = 120
const COMPACTED_MS_MAX = 60_000

describe.skipIf(skipped(['kafka'], 'compaction in Kafka', kafkaMissing()))('a topic that Kafka has compacted', () => {
  let broker: RunningKafka
  let log: EventLog
  beforeAll(async () => {
    // A segment a second, and a cleaner that looks all the time.
    broker = await startKafka(cache, { properties: { 'log.roll.ms': 1_000, 'log.cleaner.backoff.ms': 50, 'log.cleaner.min.cleanable.ratio': 0.01 } })
    await ensureKafkaTopics(broker.brokers)
    log = await createKafkaLog({ brokers: broker.brokers, slot: '0', hot: NO_STATE })
  })
  afterAll(async () => {
    await log?.close()
    await broker?.stop()
  })

  const all = async (): Promise<readonly LogRecord[]> => {
    const records: LogRecord[] = []
    for (let from = 0; ; from = records.at(-1)!.offset + 1) {
      const page = await log.read(topics.facts.name, 0, from, { recordsMax: 100, bytesMax: 1_000_000 })
      if (page.length === 0) return records
      records.push(...page)
    }
  }

  it('still has the last fact of each key, for a reader and for a consumer that begins, and new ones behind it', async () => {
    let rounds = 0
    const appended = (): number => rounds * KEYS
    const append = async (): Promise<void> => {
      await log.append(Array.from({ length: KEYS }, (_, key) => ({ topic: topics.facts.name, partition: 0, key: `fact-${key}`, value: Buffer.from(`${key} of round ${rounds}`) })))
      rounds++
    }
    const isCompacted = async (): Promise<boolean> => {
      if (rounds < ROUNDS_MAX) await append()
      return (await all()).length < appended() / 2
    }
    expect(await until(isCompacted, COMPACTED_MS_MAX)).toBe(true)
    await append()
    const kept = await all()
    process.stdout.write(`compaction: ${kept.length} of ${appended()} records are left\n`)
    const lastOf = (records: readonly LogRecord[]) => new Map(records.map(({ value }) => [String(value).split(' ')[0]!, String(value)]))
    const wanted = new Map(Array.from({ length: KEYS }, (_, key) => [String(key), `${key} of round ${rounds - 1}`]))
    expect(lastOf(kept)).toEqual(wanted)
    expect(kept[0]!.offset).toBeGreaterThan(0)
    expect((await log.extents(topics.facts.name))[0]).toMatchObject({ next: appended() })

    const consumed: LogRecord[] = []
    const reading = await log.consume({
      group: 'identity', topics: [topics.facts.name], batchRecordsMax: 7, batchBytesMax: 10_000, lingerMs: 0,
      open: async ({ committed }) => ({
        from: committed.offset,
        handle: async ({ records }) => {
          consumed.push(...records)
          return { outputs: [] }
        },
        close: async () => {},
      }),
      onFault: (error) => expect.unreachable(String(error)),
    })
    await reading.drain()
    await reading.stop()
    expect(lastOf(consumed)).toEqual(wanted)
    expect(consumed.length).toBeLessThan(appended())
    expect((await log.committed('identity', topics.facts.name, 0)).offset).toBe(appended())
  })
})
