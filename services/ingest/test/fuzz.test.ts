import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { decodeEvent, filedKeyOf, homeOf, isRefusal, type Project, type RecordHeader, shardOf, topics } from '@millrace/contracts'
import { describe, expect, it } from 'vitest'
import { splitBatch } from '../src/domain/split-batch.ts'
import { acceptedOf } from './memory-log.ts'
import { setUp } from './set-up.ts'

const SEED = 20_260
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', '0', 'null', 'u1', '2024-06-01T00:00:00Z', '1999-01-01', 'track', 'é中文', '\u2028\ud800'))
const scalar = fc.oneof(text, fc.double({ noNaN: true }), fc.integer(), fc.boolean(), fc.constant(null), fc.constantFrom(1e308, -0, 2 ** 60))
const anything = fc.oneof({ weight: 3, arbitrary: scalar }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }) })
/** Mostly what it should be, now and then anything. */
const mostly = (good: fc.Arbitrary<unknown>) => fc.oneof({ weight: 24, arbitrary: good }, { weight: 1, arbitrary: anything })
const id = fc.oneof(fc.string({ minLength: 1, maxLength: 20 }), fc.integer(), fc.constantFrom('u1', 'a1', 'null', '', '中文'))
const time = fc.date({ min: new Date('2001-01-01'), max: new Date('2024-06-01'), noInvalidDate: true }).map((date) => date.toISOString())
const fields = fc.dictionary(fc.string(), anything, { maxKeys: 4 })
const event = fc.record({
  type: mostly(fc.constantFrom('track', 'page', 'screen', 'identify', 'group', 'alias')),
  event: mostly(fc.constantFrom('Order Completed', 'Product Viewed', '看')), userId: mostly(id), anonymousId: mostly(id), previousId: mostly(id),
  groupId: mostly(id), messageId: mostly(id), timestamp: mostly(time), originalTimestamp: mostly(time), sentAt: mostly(time),
  properties: mostly(fields), traits: mostly(fields), context: mostly(fields),
}, { requiredKeys: ['type', 'event', 'previousId', 'groupId'] })
const body = fc.record({ batch: fc.array(fc.oneof({ weight: 5, arbitrary: event }, { weight: 1, arbitrary: anything }), { maxLength: 12 }), sentAt: anything, context: anything, x: anything }, { requiredKeys: ['batch'] })

/** Puts white space between tokens at random; strings stay as they are. */
const spaced = (json: string, spaces: readonly string[]): string => {
  let at = 0
  return json.replace(/"(?:[^"\\]|\\.)*"|[[\]{},:]/g, (token) => `${token}${spaces[at++ % spaces.length] ?? ''}`)
}
const spaces = fc.array(fc.constantFrom('', '', ' ', '\n', '\r\n\t'), { minLength: 1, maxLength: 7 })

/** What a consumer would stumble over: a line that is no event, or one that is not in its home. */
const faultOf = (project: Project, line: Buffer, header: RecordHeader, partition: number): string | null => {
  const decoded = decodeEvent(header.origins[0]!, project, JSON.parse(line.toString()))
  if (isRefusal(decoded)) return decoded.code
  return homeOf(shardOf(project.id, filedKeyOf(project, decoded)), topics.accepted.partitions) === partition ? null : 'not at home'
}

describe('fuzz', () => {
  it('finds in a body the same events as JSON.parse', () => {
    let cases = 0
    fc.assert(fc.property(body, spaces, (value, gaps) => {
      const bytes = Buffer.from(spaced(JSON.stringify(value), gaps))
      const parsed = (JSON.parse(bytes.toString()) as { batch: unknown[] }).batch
      const slices = splitBatch(bytes)
      cases++
      expect(slices?.map(({ start, end }) => JSON.parse(bytes.toString('utf8', start, end)) as unknown)).toEqual(parsed)
    }), { seed: SEED, numRuns: 2000 })
    process.stdout.write(`split-batch: ${cases} bodies, seed ${SEED}\n`)
  })

  it('never takes a list for the batch that JSON.parse would not take', () => {
    for (const json of ['{"a":{"batch":[1]},"batch":[2,3]}', '{"batch":[1],"batch":[2]}', '{"x":"\\"batch\\":[1]","batch":[]}']) {
      const bytes = Buffer.from(json)
      expect(splitBatch(bytes)?.map(({ start, end }) => Number(bytes.toString('utf8', start, end)))).toEqual((JSON.parse(json) as { batch: number[] }).batch)
    }
    for (const json of ['{"batch":[1],"b\\u0061tch":[2]}', '[1]', '"batch"', '{"batch":{"0":1}}']) expect(splitBatch(Buffer.from(json))).toBeNull()
  })

  it('answers any body without a fault of its own, and accounts for each event of a batch', async () => {
    const { post, log, ingest, project } = await setUp({ EVENT_BYTES_MAX: 2000 })
    let [cases, sent] = [0, 0]
    const counted = () => [topics.accepted.name, topics.rejected.name].flatMap((topic) => log.headers(topic)).reduce((sum, { count }) => sum + count, 0)
    await fc.assert(fc.asyncProperty(body, spaces, fc.boolean(), async (value, gaps, packed) => {
      const json = Buffer.from(spaced(JSON.stringify(value), gaps))
      const answer = await post('/v1/batch', packed ? gzipSync(json) : json)
      expect(answer.statusCode).toBe(200)
      const { accepted, rejected } = answer.json() as { accepted: number; rejected: unknown[] }
      expect(accepted + rejected.length).toBe(value.batch.length)
      cases++
      sent += value.batch.length
    }), { seed: SEED, numRuns: 300 })
    expect(counted()).toBe(sent)
    expect(acceptedOf(log).map(({ line, header, partition }) => faultOf(project, line, header, partition)).filter(Boolean)).toEqual([])
    const paths = ['batch', 'import', 't', 'page', 'identify', 'alias', 'g', 's']
    const broken = fc.oneof(fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)), fc.tuple(body, fc.nat(), fc.nat({ max: 255 })).map(([value, at, byte]) => {
      const bytes = Buffer.from(JSON.stringify(value))
      bytes[at % bytes.length] = byte
      return bytes
    }))
    await fc.assert(fc.asyncProperty(broken, fc.constantFrom(...paths), async (bytes, path) => {
      expect((await post(`/v1/${path}`, bytes)).statusCode).toBeLessThan(500)
      cases++
    }), { seed: SEED, numRuns: 700 })
    await ingest.drain()
    process.stdout.write(`ingest: ${cases} bodies, ${sent} events in batches, ${acceptedOf(log).length} accepted, seed ${SEED}\n`)
  })
})
