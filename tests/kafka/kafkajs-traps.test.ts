import { join } from 'node:path'
import type { Consumer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
// The repairs are no public part of the adapters: only this contract reaches for them.
import { loadKafka, withMembership } from '../../packages/adapters/src/event-log/kafka/patched-kafkajs.ts'
import { kafkaMissing, startKafka, type RunningKafka } from '@millrace/testkit'

const missing = kafkaMissing()
const cache = join(import.meta.dirname, '../../node_modules/.cache/millrace')
if (missing) process.stdout.write(`SKIPPED kafkajs repairs: ${missing}\n`)

describe.skipIf(missing)('kafkajs 2.2.4 with its repairs, on a real broker', () => {
  const { Kafka, generationOf } = loadKafka()
  let broker: RunningKafka
  let kafka: InstanceType<typeof Kafka>

  beforeAll(async () => {
    broker = await startKafka(cache)
    kafka = new Kafka({ clientId: 'traps', brokers: [...broker.brokers], logLevel: 0 })
    const admin = kafka.admin()
    await admin.connect()
    await admin.createTopics({ waitForLeaders: true, topics: ['aborted', 'zombie', 'unstable'].map((topic) => ({ topic, numPartitions: 1 })) })
    await admin.disconnect()
  }, 120_000)
  afterAll(() => broker?.stop())

  const producerOf = async (transactionalId: string) => {
    const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    return producer
  }

  it('shows no record of an aborted transaction when two producers interleave and the later one aborts first', async () => {
    const [first, second] = [await producerOf('p1'), await producerOf('p2')]
    const [one, two] = [await first.transaction(), await second.transaction()]
    const send = (transaction: typeof one, value: string, key: Buffer | null = null) =>
      transaction.send({ topic: 'aborted', acks: -1, messages: [{ partition: 0, key, value }] })
    await send(one, 'p1-aborted')
    await send(two, 'p2-aborted')
    await send(two, 'p2-aborted-key-of-zeros', Buffer.alloc(4))
    await send(two, 'p2-aborted-again')
    await two.abort()
    await send(one, 'p1-aborted-again')
    await one.abort()
    const last = await first.transaction()
    await send(last, 'committed')
    await last.commit()
    const consumer = kafka.consumer({ groupId: 'reader', maxWaitTimeInMs: 50 })
    const seen: string[] = []
    await readUntil(consumer, 'aborted', (value) => {
      seen.push(value)
      return value === 'committed'
    })
    expect(seen).toEqual(['committed'])
    await Promise.all([first.disconnect(), second.disconnect()])
  })

  it('lets no position be committed with a generation that is over', async () => {
    const consumer = kafka.consumer({ groupId: 'owners', sessionTimeout: 6000, heartbeatInterval: 1000, maxWaitTimeInMs: 50 })
    let memberId = ''
    const joined = new Promise<void>((resolve) =>
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        memberId = payload.memberId
        resolve()
      }),
    )
    await consumer.connect()
    await consumer.subscribe({ topics: ['zombie'] })
    await consumer.run({ autoCommit: false, eachMessage: async () => undefined })
    await joined
    const generationId = generationOf(memberId)!
    const producer = await producerOf('zombie-0')
    const commit = (offset: string, member: { memberId: string; generationId: number }): Promise<void> => whenFree(async () => {
      const transaction = await producer.transaction()
      try {
        const topics = withMembership([{ topic: 'zombie', partitions: [{ partition: 0, offset }] }], member)
        await transaction.sendOffsets({ consumerGroupId: 'owners', topics })
        await transaction.commit()
      } catch (error) {
        await transaction.abort()
        throw error
      }
    })
    await commit('20', { memberId, generationId })
    await expect(commit('10', { memberId, generationId: generationId - 1 })).rejects.toMatchObject({ type: 'ILLEGAL_GENERATION' })
    await expect(commit('10', { memberId: 'nobody', generationId })).rejects.toMatchObject({ type: 'UNKNOWN_MEMBER_ID' })
    expect(await positionOf(kafka, 'owners', 'zombie')).toBe('20')
    await producer.disconnect()
    await consumer.disconnect()
  })

  it('does not read a position while a transaction is about to replace it', async () => {
    const producer = await producerOf('unstable-0')
    const set = (offset: string) =>
      whenFree(async () => {
        const transaction = await producer.transaction()
        const topics = [{ topic: 'unstable', partitions: [{ partition: 0, offset }] }]
        await transaction.sendOffsets({ consumerGroupId: 'pending', topics }).catch(async (error: unknown) => {
          await transaction.abort()
          throw error
        })
        return transaction
      })
    await (await set('10')).commit()
    const open = await set('30')
    const reading = positionOf(kafka, 'pending', 'unstable')
    const early = await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, 400, 'waiting'))])
    expect(early).toBe('waiting')
    await open.commit()
    expect(await reading).toBe('30')
    await producer.disconnect()
  })
})

/** Right after a commit the coordinator may still be busy with its markers, and says so. */
const whenFree = async <T>(attempt: () => Promise<T>): Promise<T> => {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if ((error as { type?: string }).type !== 'CONCURRENT_TRANSACTIONS' || tries === 50) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

const positionOf = async (kafka: { admin(): ReturnType<InstanceType<ReturnType<typeof loadKafka>['Kafka']>['admin']> }, groupId: string, topic: string): Promise<string> => {
  const admin = kafka.admin()
  await admin.connect()
  const [answer] = await admin.fetchOffsets({ groupId, topics: [topic] })
  await admin.disconnect()
  return answer!.partitions[0]!.offset
}

const readUntil = async (consumer: Consumer, topic: string, isLast: (value: string) => boolean): Promise<void> => {
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer.run({ eachMessage: async ({ message }) => void (isLast(String(message.value)) && resolve()) }).catch(reject)
  })
  await consumer.disconnect()
}
