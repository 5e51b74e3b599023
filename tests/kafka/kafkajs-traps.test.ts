import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
// What the adapter does below kafkajs' interface is no public part of it: only this contract reaches for it.
import { createClient, type Client } from '../../packages/adapters/src/event-log/kafka/client.ts'
import { fetchPlaces } from '../../packages/adapters/src/event-log/kafka/fetch.ts'
import { stayInGroup } from '../../packages/adapters/src/event-log/kafka/membership.ts'
import { untilLed } from '../../packages/adapters/src/event-log/kafka/topics.ts'
import { withMembership, type Membership } from '../../packages/adapters/src/event-log/kafka/repairs.ts'
import { kafkaMissing, startKafka, type RunningKafka } from '@millrace/testkit'
import { skipped } from '../support/requirements.ts'

const missing = kafkaMissing()
const cache = join(import.meta.dirname, '../../node_modules/.cache/millrace')
const skip = skipped(['kafka'], 'kafkajs repairs', missing)

describe.skipIf(skip)('kafkajs 2.2.4 with its repairs, on a real broker', () => {
  let broker: RunningKafka
  let client: Client
  let kafka: Client['kafka']

  beforeAll(async () => {
    broker = await startKafka(cache)
    client = createClient(broker.brokers, 'traps')
    kafka = client.kafka
    const admin = kafka.admin()
    await admin.connect()
    const topics = ['aborted', 'zombie', 'unstable']
    await admin.createTopics({ waitForLeaders: false, topics: topics.map((topic) => ({ topic, numPartitions: 1 })) })
    await untilLed(admin, topics)
    await admin.disconnect()
  })
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
    expect(await valuesOf(client, 'aborted', 0)).toEqual(['committed'])
    // A fetch that begins inside both aborted transactions is told of them, too.
    expect(await valuesOf(client, 'aborted', 2)).toEqual(['committed'])
    await Promise.all([first.disconnect(), second.disconnect()])
  })

  it('lets no position be committed with a generation that is over', async () => {
    const cluster = client.createCluster()
    await cluster.connect()
    const stay = { stop: async () => {} }
    const { memberId, generationId } = await new Promise<Membership>((resolve, reject) =>
      Object.assign(stay, stayInGroup({ cluster, group: 'owners', topics: ['zombie'], sessionTimeoutMs: 6000, assigned: resolve, ended: reject })),
    )
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
    await stay.stop()
    await cluster.disconnect()
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

const positionOf = async (kafka: Client['kafka'], groupId: string, topic: string): Promise<string> => {
  const admin = kafka.admin()
  await admin.connect()
  const [answer] = await admin.fetchOffsets({ groupId, topics: [topic] })
  await admin.disconnect()
  return answer!.partitions[0]!.offset
}

/** All that a reader is shown from an offset on. */
const valuesOf = async (client: Client, topic: string, from: number): Promise<readonly string[]> => {
  const cluster = client.createCluster()
  await cluster.connect()
  await cluster.addMultipleTargetTopics([topic])
  const [outcome] = await fetchPlaces(cluster, [{ topic, partition: 0, from }], { waitMs: 100, bytesMax: 1 << 20, partitionBytesMax: 1 << 20 })
  await cluster.disconnect()
  if ('error' in outcome!) throw outcome.error
  expect(outcome!.fetched.next).toBe(outcome!.fetched.lastStable)
  return outcome!.fetched.records.map(({ value }) => String(value))
}
