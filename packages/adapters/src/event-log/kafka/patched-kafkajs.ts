import { createRequire } from 'node:module'
import type { Kafka as KafkaType } from 'kafkajs'

/**
 * kafkajs 2.2.4 with two repairs, without which it is not exact (both held by contract tests):
 *
 * A. Its reader shows records of aborted transactions (it opens one transaction at a time and takes a record
 *    whose key is four zero bytes for a marker).
 * B. It commits positions without the member's generation, so a copy that has lost its partition may still commit;
 *    and it reads positions that a transaction under way is about to replace.
 *
 * The version is pinned exactly: both repairs reach into files that are not its public interface.
 */
export interface PatchedKafka {
  readonly Kafka: typeof KafkaType
  /** The generation in which a member last joined its group. */
  readonly generationOf: (memberId: string) => number | undefined
}

/** Who commits: the pair that was valid when the batch arrived. Rides on the topics of `sendOffsets`. */
export interface Membership {
  readonly memberId: string
  readonly generationId: number
}

const MEMBERSHIP = Symbol('membership')
const GENERATIONS = Symbol.for('millrace.kafkajs.generations')
const UNSTABLE_OFFSET_COMMIT = 88
const UNSTABLE_WAIT_MS = 100

interface Message {
  readonly offset: string
  readonly isControlRecord: boolean
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean }
}
interface Aborted {
  readonly firstOffset: string
  readonly producerId: string
}
interface TopicOffsets {
  readonly topic: string
  readonly partitions: readonly { readonly partition: number; readonly offset?: string; readonly metadata?: string | null }[]
}
interface TxnOffsetCommit {
  readonly transactionalId: string
  readonly groupId: string
  readonly producerId: string
  readonly producerEpoch: number
  readonly topics: readonly TopicOffsets[] & { readonly [MEMBERSHIP]?: Membership }
}
interface Encoder {
  readonly buffer: Buffer
  writeInt16(value: number): Encoder
  writeInt32(value: number): Encoder
  writeInt64(value: string): Encoder
  writeBoolean(value: boolean): Encoder
  writeUVarInt(value: number): Encoder
  writeUVarIntString(value: string | null | undefined): Encoder
  writeUVarIntArray(values: readonly Encoder[]): Encoder
}
interface Decoder {
  readInt16(): number
  readInt32(): number
  readInt64(): { toString(): string }
  readUVarIntString(): string | null
  readUVarIntArray<T>(reader: (decoder: Decoder) => T): T[]
  readTaggedFields(): unknown
}
interface BrokerPrototype {
  [GENERATIONS]?: Map<string, number>
  readonly connectionPool: { send(request: unknown): Promise<unknown> }
  syncGroup(request: { memberId: string; generationId: number }): Promise<unknown>
  offsetFetch(request: { groupId: string; topics: readonly TopicOffsets[] }): Promise<unknown>
  txnOffsetCommit(request: TxnOffsetCommit): Promise<unknown>
}

export const withMembership = <T extends object>(topics: T, membership: Membership): T =>
  Object.assign(topics, { [MEMBERSHIP]: membership })

/** Records of committed transactions only; every transaction that began at or before a record is open for it. */
const withoutAborted = ({
  messages,
  abortedTransactions,
}: {
  messages: readonly Message[]
  abortedTransactions?: readonly Aborted[] | null
}): readonly Message[] => {
  if (!abortedTransactions?.length) return messages
  const pending = [...abortedTransactions].sort((a, b) => Number(BigInt(a.firstOffset) - BigInt(b.firstOffset)))
  const open = new Set<string>()
  return messages.filter((message) => {
    while (pending.length > 0 && BigInt(pending[0]!.firstOffset) <= BigInt(message.offset)) open.add(pending.shift()!.producerId)
    const { producerId, inTransaction } = message.batchContext
    if (message.isControlRecord) {
      open.delete(producerId)
      return true
    }
    return !(inTransaction && open.has(producerId))
  })
}

/** Loads kafkajs with both repairs in place. Safe to call again. */
export const loadKafka = (): PatchedKafka => {
  const require = createRequire(import.meta.url)
  const filter = require.resolve('kafkajs/src/consumer/filterAbortedMessages.js')
  require(filter)
  require.cache[filter]!.exports = withoutAborted
  const broker = (require('kafkajs/src/broker/index.js') as { prototype: BrokerPrototype }).prototype
  const generations = (broker[GENERATIONS] ??= repairBroker(broker, require))
  const { Kafka } = require('kafkajs') as { Kafka: typeof KafkaType }
  return { Kafka, generationOf: (memberId) => generations.get(memberId) }
}

const repairBroker = (broker: BrokerPrototype, require: NodeJS.Require): Map<string, number> => {
  const EncoderClass = require('kafkajs/src/protocol/encoder.js') as new () => Encoder
  const DecoderClass = require('kafkajs/src/protocol/decoder.js') as new (data: Buffer) => Decoder
  const { createErrorFromCode } = require('kafkajs/src/protocol/error.js') as { createErrorFromCode(code: number): Error }
  const generations = new Map<string, number>()

  const fail = (code: number): void => {
    if (code !== 0) throw createErrorFromCode(code)
  }
  /** Flexible versions have an empty tag section behind the request header and the response header. */
  const call = <T>(self: BrokerPrototype, apiKey: number, apiVersion: number, apiName: string, body: (encoder: Encoder) => Encoder, read: (decoder: Decoder) => T) =>
    self.connectionPool.send({
      request: { apiKey, apiVersion, apiName, encode: async () => body(new EncoderClass().writeUVarInt(0)).writeUVarInt(0) },
      response: {
        decode: async (data: Buffer) => {
          const decoder = new DecoderClass(data)
          decoder.readTaggedFields()
          return read(decoder)
        },
        parse: async (data: T) => data,
      },
    }) as Promise<T>

  const syncGroup = broker.syncGroup
  broker.syncGroup = function (request) {
    generations.set(request.memberId, request.generationId)
    return syncGroup.call(this, request)
  }

  broker.txnOffsetCommit = async function ({ transactionalId, groupId, producerId, producerEpoch, topics }) {
    const member = topics[MEMBERSHIP] ?? { memberId: '', generationId: -1 }
    const codes = await call(
      this, 28, 3, 'TxnOffsetCommit',
      (encoder) =>
        encoder.writeUVarIntString(transactionalId).writeUVarIntString(groupId).writeInt64(producerId).writeInt16(producerEpoch)
          .writeInt32(member.generationId).writeUVarIntString(member.memberId).writeUVarIntString(null)
          .writeUVarIntArray(topics.map(({ topic, partitions }) =>
            new EncoderClass().writeUVarIntString(topic).writeUVarIntArray(partitions.map(({ partition, offset, metadata }) =>
              new EncoderClass().writeInt32(partition).writeInt64(offset!).writeInt32(-1).writeUVarIntString(metadata ?? '').writeUVarInt(0),
            )).writeUVarInt(0),
          )),
      (decoder) => {
        decoder.readInt32()
        return decoder.readUVarIntArray((topic) => {
          topic.readUVarIntString()
          const errors = topic.readUVarIntArray((partition) => {
            partition.readInt32()
            const code = partition.readInt16()
            partition.readTaggedFields()
            return code
          })
          topic.readTaggedFields()
          return errors
        })
      },
    )
    for (const code of codes.flat()) fail(code)
    return { topics: [] }
  }

  broker.offsetFetch = async function ({ groupId, topics }) {
    for (;;) {
      const { responses, errorCode } = await call(
        this, 9, 7, 'OffsetFetch',
        (encoder) =>
          encoder.writeUVarIntString(groupId)
            .writeUVarIntArray(topics.map(({ topic, partitions }) =>
              new EncoderClass().writeUVarIntString(topic)
                .writeUVarIntArray(partitions.map(({ partition }) => new EncoderClass().writeInt32(partition))).writeUVarInt(0),
            ))
            .writeBoolean(true),
        (decoder) => {
          decoder.readInt32()
          const responses = decoder.readUVarIntArray((topic) => {
            const name = topic.readUVarIntString()
            const partitions = topic.readUVarIntArray((item) => {
              const partition = item.readInt32()
              const offset = item.readInt64().toString()
              item.readInt32()
              const metadata = item.readUVarIntString() ?? ''
              const code = item.readInt16()
              item.readTaggedFields()
              return { partition, offset, metadata, errorCode: code }
            })
            topic.readTaggedFields()
            return { topic: name, partitions }
          })
          return { responses, errorCode: decoder.readInt16() }
        },
      )
      const codes = [errorCode, ...responses.flatMap(({ partitions }) => partitions.map((partition) => partition.errorCode))]
      if (codes.includes(UNSTABLE_OFFSET_COMMIT)) {
        // A transaction is about to replace the position: the old one must not be taken for it.
        await new Promise((resolve) => setTimeout(resolve, UNSTABLE_WAIT_MS))
        continue
      }
      for (const code of codes) fail(code)
      return { responses, errorCode }
    }
  }
  return generations
}
