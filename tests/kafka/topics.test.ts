import { createKafkaLog, ensureKafkaTopics, TopicsDiffer } from '@millrace/adapters'
import { allTopics, topics } from '@millrace/contracts'
import type { EventLog, HotStore } from '@millrace/ports'
import { watch } from '@millrace/ports/suites'
import { kafkaMissing, startKafka, type RunningKafka } from '@millrace/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createClient } from '../../packages/adapters/src/event-log/kafka/client.ts'
import { untilLed } from '../../packages/adapters/src/event-log/kafka/topics.ts'
import { cache } from './pipeline.ts'
import { skipped } from '../support/requirements.ts'

const missing = kafkaMissing()
const skip = skipped(['kafka'], 'topics of Kafka', missing)

describe.skipIf(skip)('topics on a real Kafka', () => {
  let broker: RunningKafka
  const admin = () => createClient(broker.brokers, 'operator').kafka.admin()
  beforeAll(async () => {
    broker = await startKafka(cache)
  })
  afterAll(() => broker?.stop())

  it('are created once, also by several at a time, and found as they must be', async () => {
    const names = allTopics.map(({ name }) => `a-${name}`)
    const both = await Promise.all([ensureKafkaTopics(broker.brokers, { prefix: 'a-' }), ensureKafkaTopics(broker.brokers, { prefix: 'a-' })])
    expect(both.map(({ checked }) => checked)).toEqual([names, names])
    expect(await ensureKafkaTopics(broker.brokers, { prefix: 'a-' })).toEqual({ created: [], checked: names })
  })

  it('are refused with every difference named when they are not what is needed', async () => {
    const operator = admin()
    await operator.connect()
    await operator.createTopics({ waitForLeaders: false, topics: [{ topic: `b-${topics.accepted.name}`, numPartitions: 2, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }] })
    await untilLed(operator, [`b-${topics.accepted.name}`])
    await operator.disconnect()
    const refused = await ensureKafkaTopics(broker.brokers, { prefix: 'b-', retention: { [topics.accepted.name]: { ms: 86_400_000 } } }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(TopicsDiffer)
    for (const part of ['b-events.accepted has 2 partitions instead of 4', 'cleanup.policy=compact instead of delete', 'retention.ms=604800000 instead of 86400000', 'max.message.bytes=1048588 instead of 8388608'])
      expect((refused as Error).message).toContain(part)
  })

  it('tell a group aloud that records were deleted before it read them, and skip nothing', async () => {
    await ensureKafkaTopics(broker.brokers, { prefix: 'c-' })
    const log: EventLog = await createKafkaLog({ brokers: broker.brokers, slot: '0', hot: {} as HotStore, prefix: 'c-' })
    const append = (text: string) => log.append([{ topic: topics.rejected.name, partition: 0, value: Buffer.from(text) }])
    await append('read')
    const first = watch('late', topics.rejected.name)
    const before = await log.consume(first.options)
    await before.drain()
    await before.stop()
    for (const text of ['deleted 1', 'deleted 2', 'kept']) await append(text)
    const operator = admin()
    await operator.connect()
    // It deletes only of topics that it has looked up.
    await operator.fetchTopicOffsets(`c-${topics.rejected.name}`)
    await operator.deleteTopicRecords({ topic: `c-${topics.rejected.name}`, partitions: [{ partition: 0, offset: '3' }] })
    await operator.disconnect()
    const second = watch('late', topics.rejected.name)
    const told = new Promise<unknown>((resolve) => Object.assign(second.options, { onFault: resolve }))
    const after = await log.consume(second.options)
    expect(await told).toMatchObject({ code: 'POSITION_LOST', message: expect.stringContaining('from 1, but the log begins at 3: 2 offsets were deleted') as string })
    await after.stop()
    expect(second.texts()).toEqual([])
    // A group that begins now has lost nothing.
    const fresh = watch('fresh', topics.rejected.name, { from: 0 })
    const beginning = await log.consume(fresh.options)
    await beginning.drain()
    await beginning.stop()
    expect(fresh.texts()).toEqual(['kept'])
    await log.close()
  })
})
