import { createZones, encodeRecord, personIdOf, project as projectSchema, type ResolvedLine, topics } from '@millrace/contracts'
import type { LogRecord } from '@millrace/ports'
import { openPartition } from '../src/handlers/partition.ts'
import { createMemoryScope } from './memory-scope.ts'

const START = Date.UTC(2024, 2, 29)
export const EVENTS = 20_000
export const PEOPLE = 2_000
const PER_RECORD = 50
const RECORDS_PER_BATCH = 20

const project = projectSchema.parse({ id: 1, name: 'shop', zone: 'UTC', currency: 'EUR', writeKeys: [], apiKeys: [], identity: {} })
const person = Array.from({ length: PEOPLE }, (_, n) => personIdOf(1, `user_id:u${n}`))

const recordOf = (offset: number, lines: readonly ResolvedLine[], receivedAt: number): LogRecord => {
  const origins = [{ source: 'web', protocol: 'segment', receivedAt, sentAt: null, events: lines.length, repeats: 0 }]
  const value = encodeRecord({ kind: 'resolved', project: 1, count: lines.length, origins }, lines.map((line) => JSON.stringify(line)))
  return { topic: topics.resolved.name, partition: 0, offset, value }
}
const eventLine = (n: number): ResolvedLine => {
  const who = (n * 7919) % PEOPLE
  return {
    type: 'event', origin: 0, key: `user_id:u${who}`, number: who * 64, epoch: 0, person: person[who]!, place: [0, 0, 0],
    event: { type: 'track', event: n % 3 === 0 ? 'Order Completed' : 'Product Viewed', messageId: `m${n}`, userId: `u${who}`, timestamp: new Date(START + n * 100).toISOString(), properties: { price: n % 90, color: 'red', sku: `s${n % 500}`, category: 'shoes' }, context: { library: { name: 'web', version: '1' }, page: { path: '/a' } } },
  }
}
const ruleLines = (n: number): readonly ResolvedLine[] => {
  const rule = [
    { did: { event: 'Order Completed', value: 2, window: { last: '30d' } } },
    { all: [{ did: { event: 'Product Viewed', value: 3, window: { last: '1d' } } }, { didNot: { event: 'Order Completed', window: { last: '7d' } } }] },
    { did: { event: 'Order Completed', measure: 'sum', property: 'price', op: 'gte', value: 100, window: { last: '30d' } } },
    { did: { event: '*', measure: 'distinct-days', value: 3, window: { last: '2w' } } },
  ][n % 4]
  const completed = Array.from({ length: 4 }, (_, from): ResolvedLine => ({ type: 'backfill.completed', segment: `s${n}`, version: 1, from }))
  return [{ type: 'rule.changed', segment: `s${n}`, version: 1, name: 'n', rule, at: START }, ...completed]
}

/** CPU time of segmentation for an event with that many live rules, without the store. */
export const measureSegmentation = async (rules: number): Promise<{ usPerEvent: number; flips: number }> => {
  const scope = createMemoryScope()
  const partition = await openPartition({ projectOf: async () => project, zoneOf: createZones(), peopleCachedMax: 20_000, peopleBytesMax: 1 << 26, acceptedPartitions: 4, timersPerMoveMax: 5_000, pause: async () => {} }, scope)
  let flips = 0
  const handle = async (records: readonly LogRecord[], end: number): Promise<void> => {
    const { step } = await partition.handle({ records, end, replayed: false, caughtUp: false })
    scope.apply(step.state!)
    flips += step.outputs.length
  }
  await handle([recordOf(0, Array.from({ length: rules }, (_, n) => ruleLines(n)).flat(), START)], 1)
  const records = Array.from({ length: EVENTS / PER_RECORD }, (_, at) =>
    recordOf(at + 1, Array.from({ length: PER_RECORD }, (_line, n) => eventLine(at * PER_RECORD + n)), START + (at + 1) * PER_RECORD * 100))
  const before = process.cpuUsage()
  for (let from = 0; from < records.length; from += RECORDS_PER_BATCH) await handle(records.slice(from, from + RECORDS_PER_BATCH), from + RECORDS_PER_BATCH + 1)
  const { user, system } = process.cpuUsage(before)
  return { usPerEvent: Math.round((user + system) / EVENTS * 10) / 10, flips }
}
