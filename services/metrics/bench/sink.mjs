// Rows a second and CPU of the sink, then times of questions: node services/metrics/bench/sink.mjs [events]
// Runs from the built packages: npx tsc -b packages/adapters services/metrics
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChdbStore, createEmbeddedHotStore, createEmbeddedLog, createSystemClock, openLmdb } from '@millrace/adapters'
import { encodeRecord, funnelQuestion, personIdOf, retentionQuestion, trendsQuestion } from '@millrace/contracts'
import { askFunnel, askRetention, askTrends, createReceivedCounter, sinkConsumer } from '@millrace/metrics'
import { migrate } from '@millrace/warehouse'

const EVENTS = Number(process.argv[2] ?? 1_000_000)
const PEOPLE = Math.max(100, EVENTS / 50)
const DAYS = 90
const START = Date.UTC(2024, 0, 1)
const NAMES = ['Product Viewed', 'Product Added', 'Order Completed', 'Page Viewed', 'Searched']
const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
const project = { id: 1, name: 'bench', zone: 'UTC', currency: 'USD', identity: { blockedValues: [], types: [] } }

const root = await openLmdb(join(dir, 'log'), { syncMode: 'os' })
const log = createEmbeddedLog({ root })
const hot = createEmbeddedHotStore({ root, clock: createSystemClock() })
const columns = createChdbStore({ path: join(dir, 'store') })
await migrate(columns)

let random = 1
const whole = (max) => ((random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0) / 4_294_967_296 * max) | 0
const persons = Array.from({ length: PEOPLE }, (_, user) => personIdOf(1, `user_id:u${user}`))
const recordOf = (index, events) => {
  const receivedAt = START + Math.floor((index / (EVENTS / 100)) * DAYS * 86_400_000)
  const lines = Array.from({ length: events }, (_, line) => {
    const user = whole(PEOPLE)
    const name = NAMES[whole(NAMES.length)]
    return JSON.stringify({
      type: 'event', origin: 0, key: `user_id:u${user}`, number: user * 64, epoch: 0, person: persons[user], place: [0, index, line],
      event: {
        type: 'track', event: name, userId: `u${user}`, messageId: `ajs-next-${index}-${line}-5f1c9e0d6b5d`,
        timestamp: new Date(receivedAt - whole(60_000)).toISOString(),
        properties: { category: `c${whole(20)}`, price: whole(10_000) / 100, title: 'A thing that somebody might want to buy', ...(name === 'Order Completed' && { revenue: whole(20_000) / 100, currency: 'USD' }) },
        context: { page: { path: `/p/${whole(500)}`, url: `https://shop.example/p/${whole(500)}` }, library: { name: 'analytics.js', version: '5.1' } },
      },
    })
  })
  const origin = { source: 'web', protocol: 'segment', receivedAt, sentAt: null, events, repeats: 0 }
  return { topic: 'events.resolved', partition: index % 4, value: encodeRecord({ kind: 'resolved', project: 1, count: events, origins: [origin] }, lines) }
}
console.log(`filling the log with ${EVENTS} events of ${PEOPLE} people over ${DAYS} days`)
for (let at = 0; at < EVENTS / 100; at += 100) await log.append(Array.from({ length: Math.min(100, EVENTS / 100 - at) }, (_, index) => recordOf(at + index, 100)))

let inserts = 0
const counted = { ...columns, insert: (insert) => (inserts++, columns.insert(insert)) }
const onFault = (error) => console.error(error)
const measure = async (name, work) => {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await work()
  const ms = performance.now() - start
  const used = process.cpuUsage(cpu)
  return { name, ms, cpuMs: (used.user + used.system) / 1000 }
}
const sink = sinkConsumer({ columns: counted, projectOf: async () => project, onFault }, { lingerMs: 200, batchRecordsMax: 10_000, batchBytesMax: 2_000_000 })
let subscription
const stored = await measure('sink', async () => {
  subscription = await log.consume(sink)
  await subscription.drain()
})
console.log(`sink: ${Math.round(EVENTS / (stored.ms / 1000))} rows/s, ${(stored.cpuMs * 1000 / EVENTS).toFixed(1)} µs CPU an event, ${inserts} inserts, ${(stored.cpuMs / inserts).toFixed(1)} ms CPU each (both tables together)`)

// Small batches, as under a light load: one record of 20 events in each partition, five times a second.
inserts = 0
const light = await measure('light', async () => {
  for (let round = 0; round < 25; round++) {
    await log.append([0, 1, 2, 3].map((partition) => ({ ...recordOf(EVENTS / 100 - 1, 20), partition })))
    await subscription.drain()
  }
})
console.log(`sink, 100 batches of 20 events: ${inserts} inserts, ${(light.cpuMs / inserts).toFixed(1)} ms CPU and ${(light.ms / inserts).toFixed(1)} ms an insert`)
await subscription.stop()

const counter = await measure('ledger', async () => {
  const consumer = await log.consume({ ...createReceivedCounter({ hot, onFault }, ['events.resolved']), group: 'bench' })
  await consumer.drain()
  await consumer.stop()
})
console.log(`received counter over ${EVENTS} events: ${counter.ms.toFixed(0)} ms, ${(counter.cpuMs * 1000 / EVENTS).toFixed(2)} µs CPU an event`)

const asking = { columns, bounds: { queryMsMax: 60_000, queryMemoryBytesMax: 900_000_000, queryRowsMax: 100_000 } }
const span = { from: '2024-01-01', to: '2024-03-30' }
const any = { event: '*' }
const questions = {
  'DAU, 90 days': (options) => askTrends(asking, project, trendsQuestion.parse({ events: [any], measure: 'people', ...span }), options),
  'MAU, 90 points': (options) => askTrends(asking, project, trendsQuestion.parse({ events: [any], measure: 'people', rollingDays: 30, ...span }), options),
  'events a day': (options) => askTrends(asking, project, trendsQuestion.parse({ events: NAMES.map((event) => ({ event })), ...span }), options),
  'retention 14 days': (options) => askRetention(asking, project, retentionQuestion.parse({ start: any, return: any, ...span }), options),
  'funnel 3 steps, 7d': () => askFunnel(asking, project, funnelQuestion.parse({ steps: NAMES.slice(0, 3).map((event) => ({ event })), ...span })),
  'funnel, steps that overlap': () => askFunnel(asking, project, funnelQuestion.parse({ steps: [any, { event: NAMES[0] }, any], ...span })),
  'revenue by category': () => askTrends(asking, project, trendsQuestion.parse({ events: [any], measure: 'sum', property: 'revenue', interval: 'week', breakdown: { property: 'category' }, ...span })),
}
for (const [name, ask] of Object.entries(questions)) {
  const times = []
  for (const options of [undefined, { readFrom: 'events' }]) {
    await ask(options)
    const { ms, cpuMs } = await measure(name, () => ask(options))
    times.push(`${options ? 'events' : 'as asked'} ${ms.toFixed(0)} ms (${cpuMs.toFixed(0)} CPU)`)
  }
  console.log(`${name}: ${times.join(', ')}`)
}
await hot.close()
await log.close()
await root.close()
await columns.close()
rmSync(dir, { recursive: true, force: true })
