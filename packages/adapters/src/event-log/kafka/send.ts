import { grouped } from '../grouped.ts'
import type { Broker, Cluster } from './client.ts'
import { errorOf, isPassing } from './faults.ts'

/**
 * What kafkajs 2.2.4 sends messages with, written anew. Its own remembers by broker what was taken, and asks again while
 * requests of the failed round are still under way. When a leader changes in the middle, a partition that was written is
 * written again under new numbers, which no broker can tell for a repeat; another is taken for written and never sent. On
 * three brokers, one of them killed: 279 of 8,000 events came twice. Here each partition is remembered by itself, and
 * a round ends when all its requests have ended.
 */
export interface SendDeps {
  readonly cluster: Pick<Cluster, 'addMultipleTargetTopics' | 'refreshMetadata' | 'refreshMetadataIfNecessary' | 'findBroker' | 'findTopicPartitionMetadata'> & {
    isConnected(): boolean
    connect(): Promise<void>
  }
  readonly eosManager: EosManager
  readonly retrier: <T>(attempt: (bail: (error: unknown) => void) => Promise<T>) => Promise<T>
}

/** The part of kafkajs that keeps a producer's numbers and its transaction. */
export interface EosManager {
  isTransactional(): boolean
  getTransactionalId(): string | undefined
  getProducerId(): string | number
  getProducerEpoch(): number
  getSequence(topic: string, partition: number): number
  updateSequence(topic: string, partition: number, increment: number): void
  addPartitionsToTransaction(topics: readonly TopicData[]): Promise<void>
  acquireBrokerLock(broker: Broker): Promise<void>
  releaseBrokerLock(broker: Broker): void | Promise<void>
}

/** Who has given up: nothing of it may be sent any more, since the same may have been taken from somebody else meanwhile. */
export interface Round {
  over: boolean
}

const ROUND = Symbol('round')

/** Rides on the messages through kafkajs to `createSendMessages`. */
export const inRound = <Topic extends { readonly messages: object }>(topics: readonly Topic[], round: Round): readonly Topic[] => {
  for (const { messages } of topics) Object.assign(messages, { [ROUND]: round })
  return topics
}

const roundOf = (topicMessages: SendRequest['topicMessages']): Round =>
  topicMessages.map(({ messages }) => (messages as { readonly [ROUND]?: Round })[ROUND]).find((round) => round !== undefined) ?? { over: false }

/** The partition is always named. */
export interface Message {
  readonly partition: number
}
interface TopicData {
  readonly topic: string
  readonly partitions: readonly { readonly partition: number; readonly messages: readonly Message[]; readonly firstSequence?: number }[]
}
export interface SendRequest {
  readonly acks: number
  readonly timeout?: number
  readonly compression?: number
  readonly topicMessages: readonly { readonly topic: string; readonly messages: readonly Message[] }[]
}

interface ProducingBroker extends Broker {
  readonly nodeId: number
  produce(request: object): Promise<unknown>
}

/** Messages of one partition: sent together, taken or not taken together. */
interface Part {
  readonly topic: string
  readonly partition: number
  readonly messages: readonly Message[]
}

export const createSendMessages = ({ cluster, eosManager, retrier }: SendDeps) => async ({ topicMessages, ...how }: SendRequest): Promise<readonly never[]> => {
  const topics = [...new Set(topicMessages.map(({ topic }) => topic))]
  const round = roundOf(topicMessages)
  let left = partsOf(topicMessages)

  const sendTo = async (broker: ProducingBroker, parts: readonly Part[]): Promise<void> => {
    await eosManager.acquireBrokerLock(broker)
    try {
      if (round.over) throw new GivenUp()
      if (eosManager.isTransactional()) await eosManager.addPartitionsToTransaction(topicData(parts))
      const numbered = topicData(parts.map((part) => ({ ...part, firstSequence: eosManager.getSequence(part.topic, part.partition) })))
      await broker.produce({
        ...how, topicData: numbered, producerId: eosManager.getProducerId(), producerEpoch: eosManager.getProducerEpoch(),
        transactionalId: eosManager.isTransactional() ? eosManager.getTransactionalId() : undefined,
      })
      // Only now: who is not taken comes again under the same numbers, by which a broker that has it all the same knows it.
      for (const { topic, partition, messages } of parts) eosManager.updateSequence(topic, partition, messages.length)
      left = left.filter((part) => !parts.includes(part))
    } finally {
      await eosManager.releaseBrokerLock(broker)
    }
  }
  const sendLeft = async (): Promise<void> => {
    await cluster.addMultipleTargetTopics(topics)
    await cluster.refreshMetadataIfNecessary()
    const byLeader = grouped(left, ({ topic, partition }) => leaderOf(cluster, topic, partition))
    const outcomes = await Promise.allSettled([...byLeader].map(async ([nodeId, parts]) => sendTo((await cluster.findBroker({ nodeId })) as ProducingBroker, parts)))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
  }
  await retrier(async (bail) => {
    try {
      await sendLeft()
    } catch (error) {
      if (round.over || !isPassing(error)) return bail(error)
      if (!cluster.isConnected()) await cluster.connect()
      await cluster.refreshMetadata()
      throw error
    }
  })
  return []
}

class GivenUp extends Error {
  override readonly name = 'GivenUp'
  constructor() {
    super('the append was given up')
  }
}

const LEADER_NOT_AVAILABLE = 5

const leaderOf = (cluster: SendDeps['cluster'], topic: string, partition: number): number => {
  const leader = cluster.findTopicPartitionMetadata(topic).find(({ partitionId }) => partitionId === partition)?.leader ?? -1
  if (leader < 0) throw errorOf(LEADER_NOT_AVAILABLE)
  return leader
}

const partsOf = (topicMessages: SendRequest['topicMessages']): readonly Part[] =>
  topicMessages.flatMap(({ topic, messages }) => [...grouped(messages, ({ partition }) => partition)].map(([partition, some]) => ({ topic, partition, messages: some })))

const topicData = (parts: readonly (Part & { readonly firstSequence?: number })[]): readonly TopicData[] =>
  [...grouped(parts, ({ topic }) => topic)].map(([topic, partitions]) => ({ topic, partitions }))
