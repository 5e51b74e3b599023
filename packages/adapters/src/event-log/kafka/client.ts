import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { ISocketFactory, Kafka as KafkaType, logLevel, Producer } from 'kafkajs'
import { accessOptions, socketFactory, type KafkaAccess } from './access.ts'
import { repairKafkajs, type OffsetFetch, type TopicOffsets } from './repairs.ts'

/**
 * kafkajs 2.2.4, and the parts of it that lie below its public interface. Its consumer is not used: it stops all
 * partitions and its heartbeats behind one slow handler, resets a lost position in silence, and shows aborted records.
 * Its connections, metadata and protocol are; the version is pinned exactly, and contract tests hold what is reached for.
 */
export interface Client {
  readonly kafka: KafkaType
  /** Connections and metadata of their own: a long poll of one use holds up no other. */
  createCluster(): Cluster
  createLine(): Line
}

/** An idempotent producer on connections of its own, one request at a time. */
export interface Line {
  readonly producer: Producer
  /** Resets its connections: of what still waits in them nothing leaves this machine any more. */
  cut(): void
}

export interface Cluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>
  refreshMetadata(): Promise<void>
  refreshMetadataIfNecessary(): Promise<void>
  findBroker(options: { nodeId: number | string }): Promise<Broker>
  findGroupCoordinator(options: { groupId: string }): Promise<Broker>
  findTopicPartitionMetadata(topic: string): readonly { readonly partitionId: number; readonly leader: number }[]
}

interface GroupMember {
  readonly memberId: string
  readonly memberMetadata: Buffer
}

export interface Broker {
  readonly connectionPool: { send(request: unknown): Promise<unknown> }
  joinGroup(request: {
    groupId: string
    sessionTimeout: number
    rebalanceTimeout: number
    memberId: string
    groupProtocols: readonly { name: string; metadata: Buffer }[]
  }): Promise<{ generationId: number; leaderId: string; memberId: string; members: readonly GroupMember[] }>
  syncGroup(request: { groupId: string; generationId: number; memberId: string; groupAssignment: readonly unknown[] }): Promise<{ memberAssignment: Buffer }>
  heartbeat(request: { groupId: string; memberId: string; groupGenerationId: number }): Promise<unknown>
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>
  offsetFetch(request: OffsetFetch): Promise<{ responses: readonly { partitions: readonly TopicOffsets['partitions'][number][] }[] }>
}

export interface Assigner {
  readonly name: string
  protocol(options: { topics: readonly string[] }): { name: string; metadata: Buffer }
  assign(options: { members: readonly GroupMember[]; topics: readonly string[] }): Promise<readonly unknown[]>
}

/** Quick at first, then once a second: a broker that restarts takes seconds. */
export const retryFor = (retries: number) => ({ initialRetryTime: 4, multiplier: 1.5, maxRetryTime: 1000, retries })
const REQUEST_TIMEOUT_MS = 10_000
/** Half a minute: what asks once is refused after that, what must go on asks again. */
const RETRIES = 40

const require = createRequire(import.meta.url)

/** Loads kafkajs with its repair in place. Safe to call again. */
export const createClient = (brokers: readonly string[], clientId: string, access: KafkaAccess = {}, retries = RETRIES): Client => {
  repairKafkajs(require)
  const { Kafka, logLevel: levels } = require('kafkajs') as { Kafka: typeof KafkaType; logLevel: typeof logLevel }
  const connectBy = (factory: ISocketFactory): KafkaType =>
    new Kafka({
      clientId, brokers: [...brokers], ...accessOptions(access), logLevel: levels.NOTHING, socketFactory: factory, connectionTimeout: 5_000, requestTimeout: REQUEST_TIMEOUT_MS, retry: retryFor(retries),
    })
  const kafka = connectBy(socketFactory)
  const created = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === 'private:Kafka:createCluster')
  if (!created) throw new Error('kafkajs is not the version that this adapter was written for (2.2.4)')
  const createCluster = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[created]!
  return {
    kafka,
    createCluster: () => createCluster({ metadataMaxAge: 60_000, allowAutoTopicCreation: false, maxInFlightRequests: null, isolationLevel: 1 }),
    createLine: () => {
      const sockets = new Set<Socket>()
      const producer = connectBy((options) => noted(socketFactory(options), sockets)).producer({ idempotent: true, maxInFlightRequests: 1, retry: retryFor(20) })
      return { producer, cut: () => sockets.forEach(reset) }
    },
  }
}

const noted = (socket: Socket, sockets: Set<Socket>): Socket => {
  sockets.add(socket)
  return socket.once('close', () => sockets.delete(socket))
}

/** Node resets plain connections only; one that is closed otherwise would still deliver what it holds. */
const reset = (socket: Socket): void => {
  if (socket instanceof TLSSocket || socket.connecting) socket.destroy()
  else socket.resetAndDestroy()
}

export const createAssigner = (cluster: Cluster): Assigner =>
  (require('kafkajs/src/consumer/assigners/roundRobinAssigner/index.js') as (options: { cluster: Cluster }) => Assigner)({ cluster })

export const decodeAssignment = (bytes: Buffer): Readonly<Record<string, readonly number[]>> => {
  const { MemberAssignment } = require('kafkajs/src/consumer/assignerProtocol.js') as {
    MemberAssignment: { decode(bytes: Buffer): { assignment: Record<string, number[]> } | null }
  }
  return MemberAssignment.decode(bytes)?.assignment ?? {}
}
