import Module from 'node:module'
import { createSendMessages } from './send.ts'

/**
 * The repair of kafkajs 2.2.4, held by contract tests (tests/kafka/kafkajs-traps.test.ts): it commits positions without the
 * member's generation, so a copy that has lost its partition may still commit; and it reads positions that a
 * transaction under way is about to replace. Both requests are sent in the version that carries what is needed. How
 * messages are sent over a change of leaders is written anew: see `send.ts`.
 */

/** Who commits: the pair under which the batch was read. Rides on the topics of `sendOffsets`. */
export interface Membership {
  readonly memberId: string
  readonly generationId: number
}

const MEMBERSHIP = Symbol('membership')
const REPAIRED = Symbol.for('millrace.kafkajs.repaired')
const UNSTABLE_OFFSET_COMMIT = 88
const UNSTABLE_WAIT_MS = 100

export interface TopicOffsets {
  readonly topic: string
  readonly partitions: readonly { readonly partition: number; readonly offset?: string; readonly metadata?: string | null }[]
}
export interface OffsetFetch {
  readonly groupId: string
  readonly topics: readonly TopicOffsets[]
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
  [REPAIRED]?: true
  readonly connectionPool: { send(request: unknown): Promise<unknown> }
  offsetFetch(request: OffsetFetch): Promise<unknown>
  txnOffsetCommit(request: TxnOffsetCommit): Promise<unknown>
}

export const withMembership = <T extends object>(topics: T, membership: Membership): T =>
  Object.assign(topics, { [MEMBERSHIP]: membership })

/** Before anything loads kafkajs' producer. Safe to call again. */
export const repairKafkajs = (require: NodeJS.Require): void => {
  repairBroker(require)
  repairSend(require)
}

const SEND = 'kafkajs/src/producer/sendMessages.js'

const repairSend = (require: NodeJS.Require): void => {
  const path = require.resolve(SEND)
  if (require.cache[path]?.exports === createSendMessages) return
  if (require.cache[path]) throw new Error('kafkajs was loaded before its repair: load it through the adapter alone')
  const loaded = new Module(path)
  Object.assign(loaded, { filename: path, loaded: true, exports: createSendMessages })
  require.cache[path] = loaded
}

const repairBroker = (require: NodeJS.Require): void => {
  const broker = (require('kafkajs/src/broker/index.js') as { prototype: BrokerPrototype }).prototype
  if (broker[REPAIRED]) return
  broker[REPAIRED] = true
  const EncoderClass = require('kafkajs/src/protocol/encoder.js') as new () => Encoder
  const DecoderClass = require('kafkajs/src/protocol/decoder.js') as new (data: Buffer) => Decoder
  const { createErrorFromCode } = require('kafkajs/src/protocol/error.js') as { createErrorFromCode(code: number): Error }

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
}
