import { describe, expect, it } from 'vitest'
import type { Broker } from './client.ts'
import { createSendMessages, inRound, type EosManager, type Message, type Round, type SendDeps } from './send.ts'

interface Sent extends Message {
  readonly value: string
}
interface Produced {
  readonly topicData: readonly { readonly topic: string; readonly partitions: readonly { readonly partition: number; readonly firstSequence: number; readonly messages: readonly Sent[] }[] }[]
}
type Fault = 'refused' | 'written, not answered'

const passing = (): Error => Object.assign(new Error('connection closed'), { name: 'KafkaJSConnectionClosedError' })

/** Brokers that know repeats by their numbers, as Kafka does, whoever leads; `leaders` and `faults` are the test's to change. */
const fakeKafka = (leaders: Record<number, number>) => {
  const log = new Map<number, string[]>()
  const faults = new Map<number, Fault[]>()
  const onProduce = { before: async (_nodeId: number): Promise<void> => {} }
  const sequences = new Map<string, number>()
  const asked: string[] = []
  const write = ({ topicData }: Produced): void => {
    for (const { partition, firstSequence, messages } of topicData.flatMap(({ partitions }) => partitions)) {
      const there = log.get(partition) ?? []
      if (firstSequence > there.length) throw Object.assign(new Error('numbers are missing'), { type: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
      if (firstSequence === there.length) log.set(partition, [...there, ...messages.map(({ value }) => value)])
    }
  }
  const broker = (nodeId: number) => ({
    nodeId,
    produce: async (request: Produced) => {
      asked.push(`${nodeId}: ${request.topicData.flatMap(({ partitions }) => partitions.map(({ partition }) => partition)).join(',')}`)
      await onProduce.before(nodeId)
      const fault = faults.get(nodeId)?.shift()
      if (fault !== 'refused') write(request)
      if (fault) throw passing()
    },
  })
  const eosManager: EosManager = {
    isTransactional: () => false, getTransactionalId: () => undefined, getProducerId: () => 1, getProducerEpoch: () => 0,
    getSequence: (topic, partition) => sequences.get(`${topic}/${partition}`) ?? 0,
    updateSequence: (topic, partition, increment) => void sequences.set(`${topic}/${partition}`, (sequences.get(`${topic}/${partition}`) ?? 0) + increment),
    addPartitionsToTransaction: async () => {}, acquireBrokerLock: async () => {}, releaseBrokerLock: () => {},
  }
  const cluster: SendDeps['cluster'] = {
    addMultipleTargetTopics: async () => {}, refreshMetadata: async () => {}, refreshMetadataIfNecessary: async () => {}, isConnected: () => true, connect: async () => {},
    findBroker: async ({ nodeId }) => broker(Number(nodeId)) as unknown as Broker,
    findTopicPartitionMetadata: () => Object.entries(leaders).map(([partitionId, leader]) => ({ partitionId: Number(partitionId), leader })),
  }
  const retrier: SendDeps['retrier'] = async (attempt) => {
    for (let tries = 0; ; tries++) {
      const refused: { error?: unknown } = {}
      try {
        const result = await attempt((error) => void (refused.error = error))
        if (refused.error !== undefined) throw refused.error
        return result
      } catch (error) {
        if (refused.error !== undefined || tries === 5) throw error
      }
    }
  }
  const send = createSendMessages({ cluster, eosManager, retrier })
  type Pair = readonly [partition: number, value: string]
  const topicMessages = (sent: readonly Pair[]) => [{ topic: 't', messages: sent.map(([partition, value]): Sent => ({ partition, value })) }]
  return {
    send: (...sent: readonly Pair[]) => send({ acks: -1, topicMessages: topicMessages(sent) }),
    sendIn: (round: Round, ...sent: readonly Pair[]) => send({ acks: -1, topicMessages: inRound(topicMessages(sent), round) }),
    log, faults, leaders, onProduce, asked, sequences,
  }
}

describe('messages over a change of leaders', () => {
  it('are each written once when one broker is lost while another still writes, and takes over what the lost one led', async () => {
    const kafka = fakeKafka({ 0: 1, 1: 2 })
    kafka.faults.set(2, ['refused'])
    let lost = (): void => {}
    const afterLoss = new Promise<void>((resolve) => (lost = resolve))
    kafka.onProduce.before = async (nodeId) => {
      if (nodeId === 1) return afterLoss
      kafka.leaders[1] = 1
      setImmediate(lost)
    }
    await kafka.send([0, 'a'], [1, 'b'], [0, 'c'])
    expect(Object.fromEntries(kafka.log)).toEqual({ 0: ['a', 'c'], 1: ['b'] })
    expect(kafka.asked).toEqual(['1: 0', '2: 1', '1: 1'])
    await kafka.send([0, 'd'], [1, 'e'])
    expect(Object.fromEntries(kafka.log)).toEqual({ 0: ['a', 'c', 'd'], 1: ['b', 'e'] })
  })

  it('are not written again when what was taken has another leader in the next round', async () => {
    const kafka = fakeKafka({ 0: 1, 1: 2 })
    kafka.faults.set(2, ['refused', 'refused'])
    kafka.onProduce.before = async (nodeId) => void (nodeId === 2 && (kafka.leaders[0] = 3))
    await kafka.send([0, 'a'], [1, 'b'])
    expect(Object.fromEntries(kafka.log)).toEqual({ 0: ['a'], 1: ['b'] })
    expect(kafka.asked).toEqual(['1: 0', '2: 1', '2: 1', '2: 1'])
  })

  it('come again under the same numbers when it is not known whether they were written', async () => {
    const kafka = fakeKafka({ 0: 1 })
    kafka.faults.set(1, ['written, not answered', 'written, not answered'])
    await kafka.send([0, 'a'], [0, 'b'])
    await kafka.send([0, 'c'])
    expect(kafka.log.get(0)).toEqual(['a', 'b', 'c'])
  })

  it('are sent no more once they were given up: whoever sent them has come again, and this would be behind that', async () => {
    const kafka = fakeKafka({ 0: 1 })
    const round = { over: false }
    kafka.faults.set(1, ['refused', 'refused'])
    kafka.onProduce.before = async () => void (round.over = kafka.asked.length === 2)
    await expect(kafka.sendIn(round, [0, 'a'])).rejects.toThrow('connection closed')
    expect([kafka.asked.length, kafka.log.size]).toEqual([2, 0])
    await expect(kafka.sendIn({ over: true }, [0, 'a'])).rejects.toThrow('the append was given up')
    expect([kafka.asked.length, kafka.log.size]).toEqual([2, 0])
  })

  it('wait for a leader, and are refused at once for what does not pass', async () => {
    const kafka = fakeKafka({ 0: -1 })
    await expect(kafka.send([0, 'a'])).rejects.toMatchObject({ type: 'LEADER_NOT_AVAILABLE' })
    kafka.leaders[0] = 1
    kafka.sequences.set('t/0', 7)
    await expect(kafka.send([0, 'a'])).rejects.toMatchObject({ type: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    expect([kafka.asked.length, kafka.sequences.get('t/0')]).toEqual([1, 7])
  })
})
