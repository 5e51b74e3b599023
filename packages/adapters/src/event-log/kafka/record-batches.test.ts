import { describe, expect, it } from 'vitest'
import { decodeRecordSet } from './record-batches.ts'

interface Given {
  readonly first: number
  readonly last?: number
  readonly producer?: number
  readonly kind?: 'plain' | 'transactional' | 'marker'
  readonly records: readonly (readonly [delta: number, key: Buffer | null, value: Buffer | null])[]
}

const varint = (value: number): Buffer => {
  const bytes: number[] = []
  for (let rest = value < 0 ? -2 * value - 1 : 2 * value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) | 0x80)
  }
}

const field = (bytes: Buffer | null): Buffer => (bytes ? Buffer.concat([varint(bytes.length), bytes]) : varint(-1))

/** A record batch of format 2 as Kafka writes it. */
const batch = ({ first, last, producer = -1, kind = 'plain', records }: Given): Buffer => {
  const body = Buffer.concat(records.map(([delta, key, value]) => {
    const record = Buffer.concat([Buffer.of(0), varint(2 ** 35), varint(delta), field(key), field(value), varint(0)])
    return Buffer.concat([varint(record.length), record])
  }))
  const head = Buffer.alloc(61)
  head.writeBigInt64BE(BigInt(first), 0)
  head.writeInt32BE(49 + body.length, 8)
  head[16] = 2
  head.writeInt16BE({ plain: 0, transactional: 0x10, marker: 0x30 }[kind], 21)
  head.writeInt32BE((last ?? first + records.length - 1) - first, 23)
  head.writeBigInt64BE(BigInt(producer), 43)
  head.writeInt32BE(records.length, 57)
  return Buffer.concat([head, body])
}

const text = (value: string): Buffer => Buffer.from(value)
const read = (batches: readonly Buffer[], from = 0, aborted: readonly { producerId: bigint; firstOffset: number }[] = []) => {
  const { records, next } = decodeRecordSet({ bytes: Buffer.concat(batches), from, aborted })
  return { texts: records.map(({ offset, value }) => `${offset}:${String(value)}`), next }
}

describe('a record set', () => {
  it('gives values with and without keys, empty ones too, and large ones', () => {
    const large = 'x'.repeat(70_000)
    const given = batch({ first: 5, records: [[0, text('k'), text('a')], [1, null, text('')], [2, text(''), null], [3, null, text(large)]] })
    expect(read([given], 5)).toEqual({ texts: ['5:a', '6:', '7:', `8:${large}`], next: 9 })
  })

  it('leaves out what lies before the wanted offset, and an incomplete batch at the end', () => {
    const one = batch({ first: 0, records: [[0, null, text('a')], [1, null, text('b')]] })
    const two = batch({ first: 2, records: [[0, null, text('c')]] })
    expect(read([one, two.subarray(0, -1)], 1)).toEqual({ texts: ['1:b'], next: 2 })
    expect(read([], 7)).toEqual({ texts: [], next: 7 })
  })

  it('goes on behind a batch that compaction has emptied', () => {
    expect(read([batch({ first: 3, last: 9, records: [] })], 3)).toEqual({ texts: [], next: 10 })
  })

  it('shows nothing of aborted transactions, several open at once, and takes no key of zeros for a marker', () => {
    const marker = (first: number, producer: number) => batch({ first, producer, kind: 'marker', records: [[0, Buffer.alloc(4), Buffer.alloc(6)]] })
    const data = (first: number, producer: number, value: string, key: Buffer | null = null) => batch({ first, producer, kind: 'transactional', records: [[0, key, text(value)]] })
    const log = [data(0, 1, 'a'), data(1, 2, 'b', Buffer.alloc(4)), data(2, 2, 'c'), marker(3, 2), data(4, 1, 'd'), marker(5, 1), data(6, 1, 'kept'), marker(7, 1)]
    const aborted = [{ producerId: 2n, firstOffset: 1 }, { producerId: 1n, firstOffset: 0 }]
    expect(read(log, 0, aborted)).toEqual({ texts: ['6:kept'], next: 8 })
    expect(read(log.slice(2), 2, aborted)).toEqual({ texts: ['6:kept'], next: 8 })
    expect(read([...log, marker(8, 2), data(9, 2, 'later')], 0, [...aborted, { producerId: 2n, firstOffset: 9 }]).texts).toEqual(['6:kept'])
  })

  it('refuses what it does not read, by name', () => {
    const other = batch({ first: 0, records: [[0, null, text('a')]] })
    other.writeInt16BE(4, 21)
    expect(() => read([other])).toThrow("codec 4 are not read")
  })
})
