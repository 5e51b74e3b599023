import { createRequire } from 'node:module'
import type { Broker, Cluster } from './client.ts'
import { errorOf } from './faults.ts'
import { decodeRecordSet, type DecodedRecords } from './record-batches.ts'

/** One partition of a fetch, under its name in Kafka. */
export interface Place {
  readonly topic: string
  readonly partition: number
  readonly from: number
}

/** What came of one partition. `next` is behind all that came; at `lastStable` begins what no reader may see yet. */
export interface Fetched extends Place, DecodedRecords {
  readonly lastStable: number
  readonly first: number
}

export interface FetchOptions {
  /** How long the broker may wait for something to come. */
  readonly waitMs: number
  readonly bytesMax: number
  readonly partitionBytesMax: number
}

export type FetchOutcome = { readonly place: Place; readonly fetched: Fetched } | { readonly place: Place; readonly error: Error & { type?: string } }

interface Encoder {
  writeInt8(value: number): Encoder
  writeInt32(value: number): Encoder
  writeInt64(value: string): Encoder
  writeString(value: string): Encoder
  writeArray(values: readonly unknown[]): Encoder
}

const require = createRequire(import.meta.url)
const READ_COMMITTED = 1
const FETCH = { apiKey: 1, apiVersion: 11, apiName: 'Fetch' }

/** Asks the leader of each partition, all at once. A fault of one partition is that partition's outcome only. */
export const fetchPlaces = async (cluster: Cluster, places: readonly Place[], options: FetchOptions): Promise<readonly FetchOutcome[]> => {
  const byLeader = new Map<number, Place[]>()
  for (const place of places) {
    const leader = cluster.findTopicPartitionMetadata(place.topic).find(({ partitionId }) => partitionId === place.partition)?.leader ?? -1
    byLeader.set(leader, [...(byLeader.get(leader) ?? []), place])
  }
  const outcomes = await Promise.all(
    [...byLeader].map(async ([leader, some]) => {
      if (leader < 0) return some.map((place) => ({ place, error: errorOf(5) }))
      const broker = await cluster.findBroker({ nodeId: leader })
      return fetchFrom(broker, some, options)
    }),
  )
  return outcomes.flat()
}

const fetchFrom = async (broker: Broker, places: readonly Place[], options: FetchOptions): Promise<readonly FetchOutcome[]> => {
  const response = await broker.connectionPool.send({
    request: { ...FETCH, encode: async () => encode(places, options) },
    response: { decode: async (bytes: Buffer) => bytes, parse: async (bytes: Buffer) => bytes },
  })
  const parts = decode(response as Buffer)
  return places.map((place) => {
    const part = parts.find(({ topic, partition }) => topic === place.topic && partition === place.partition)
    if (!part) return { place, error: new Error(`the answer of the broker lacks ${place.topic}/${place.partition}`) }
    if (part.code !== 0) return { place, error: errorOf(part.code) }
    const { bytes, aborted, lastStable, first } = part
    try {
      return { place, fetched: { ...place, ...decodeRecordSet({ bytes, aborted, from: place.from }), lastStable, first } }
    } catch (error) {
      return { place, error: error as Error }
    }
  })
}

const encode = (places: readonly Place[], { waitMs, bytesMax, partitionBytesMax }: FetchOptions): Encoder => {
  const EncoderClass = require('kafkajs/src/protocol/encoder.js') as new () => Encoder
  const topics = [...new Set(places.map(({ topic }) => topic))]
  return new EncoderClass()
    .writeInt32(-1).writeInt32(waitMs).writeInt32(1).writeInt32(bytesMax).writeInt8(READ_COMMITTED)
    .writeInt32(0).writeInt32(-1)
    .writeArray(topics.map((topic) =>
      new EncoderClass().writeString(topic).writeArray(places.filter((place) => place.topic === topic).map(({ partition, from }) =>
        new EncoderClass().writeInt32(partition).writeInt32(-1).writeInt64(String(from)).writeInt64('-1').writeInt32(partitionBytesMax),
      )),
    ))
    .writeArray([])
    .writeString('')
}

const decode = (bytes: Buffer) => {
  let at = 0
  const int16 = (): number => bytes.readInt16BE((at += 2) - 2)
  const int32 = (): number => bytes.readInt32BE((at += 4) - 4)
  const int64 = (): bigint => bytes.readBigInt64BE((at += 8) - 8)
  const array = <T>(read: () => T): T[] => Array.from({ length: Math.max(0, int32()) }, read)
  int32()
  const code = int16()
  if (code !== 0) throw errorOf(code)
  int32()
  return array(() => {
    const length = int16()
    const topic = bytes.toString('utf8', at, (at += length))
    return array(() => {
      const head = { topic, partition: int32(), code: int16(), highWatermark: Number(int64()), lastStable: Number(int64()), first: Number(int64()) }
      const aborted = array(() => ({ producerId: int64(), firstOffset: Number(int64()) }))
      int32()
      const size = Math.max(0, int32())
      return { ...head, aborted, bytes: bytes.subarray(at, (at += size)) }
    })
  }).flat()
}
