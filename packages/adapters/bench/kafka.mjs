// What the Kafka adapter costs on this machine: npx tsc -b packages/adapters packages/contracts && node packages/adapters/bench/kafka.mjs
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { createKafkaLog, ensureKafkaTopics } from '@millrace/adapters'
import { encodeRecord } from '@millrace/contracts'
import { startKafkaBroker } from '../../../infra/local/kafka/broker.mjs'

const folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-bench-'))
const broker = await startKafkaBroker({ cacheFolder: join(import.meta.dirname, '../../../node_modules/.cache/millrace'), folder })
const TOPIC = 'events.accepted'

const cpu = (since) => {
  const { user, system } = process.cpuUsage(since)
  return user + system
}
const percentile = (values, share) => values.sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))].toFixed(1)
const row = (name, n, used, ms, note = '') => console.log(`${name.padEnd(52)} ${Math.round((n * 1000) / ms).toString().padStart(8)}/s ${(used / n).toFixed(2).padStart(8)} µs each ${note}`)

const event = (n) => JSON.stringify({
  type: 'track', event: ['Product Viewed', 'Product Added', 'Order Completed'][n % 3], userId: `user-${(n * 7919) % 5000}`, messageId: `m-${n}-${((n * 2654435761) >>> 0).toString(36)}`,
  timestamp: new Date(1.7e12 + n * 137).toISOString(), properties: { product_id: `sku-${(n * 31) % 900}`, price: (n % 977) / 10, quantity: 1 + (n % 3), category: 'shoes', brand: 'acme', position: n % 24 },
  context: { library: { name: 'analytics.js', version: '2.1.0' }, page: { path: `/p/${n % 900}`, referrer: 'https://example.com/', title: 'Shoes' }, locale: 'zh-CN', userAgent: 'Mozilla/5.0 (X11; Linux x64) Chrome/130' },
})

const codecs = () => {
  const lines = Array.from({ length: 100 }, (_, n) => Buffer.from(event(n)))
  const plain = Buffer.concat(lines.flatMap((line) => [line, Buffer.of(10)]))
  const measure = (name, pack) => {
    for (let n = 0; n < 300; n++) pack()
    const [start, used] = [performance.now(), process.cpuUsage()]
    let bytes = 0
    for (let n = 0; n < 1000; n++) bytes = pack().length
    row(`codec ${name}, 100 events a record`, 100_000, cpu(used), performance.now() - start, `${(bytes / 100).toFixed(0)} bytes an event`)
  }
  measure('none', () => Buffer.from(plain))
  measure('LZ4 (the record as it is written)', () => encodeRecord({ kind: 'events', project: 1, count: 100, origins: [] }, lines))
  measure('deflate 1', () => deflateRawSync(plain, { level: 1 }))
}

const appends = async (log) => {
  const value = encodeRecord({ kind: 'events', project: 1, count: 100, origins: [] }, Array.from({ length: 100 }, (_, n) => event(n)))
  for (const writers of [1, 16, 128]) {
    const times = []
    const [start, used] = [performance.now(), process.cpuUsage()]
    let left = writers * 40
    await Promise.all(Array.from({ length: writers }, async (_, writer) => {
      while (left-- > 0) {
        const at = performance.now()
        await log.append([{ topic: TOPIC, partition: writer % 4, value }])
        times.push(performance.now() - at)
      }
    }))
    row(`append, ${writers} writers, ${value.length} bytes`, times.length, cpu(used), performance.now() - start, `p50 ${percentile(times, 0.5)} p99 ${percentile(times, 0.99)} ms`)
  }
}

const reads = async (log) => {
  const { first, next } = (await log.extents(TOPIC))[0]
  for (const recordsMax of [1, 100]) {
    const times = []
    const [start, used] = [performance.now(), process.cpuUsage()]
    for (let n = 0; n < 200; n++) {
      const at = performance.now()
      await log.read(TOPIC, 0, first + (n % Math.max(1, next - first - recordsMax)), { recordsMax, bytesMax: 1_000_000 })
      times.push(performance.now() - at)
    }
    row(`read, ${recordsMax} records`, 200, cpu(used), performance.now() - start, `p50 ${percentile(times, 0.5)} p99 ${percentile(times, 0.99)} ms`)
  }
}

const consumes = async (log) => {
  let count = 0
  const [start, used] = [performance.now(), process.cpuUsage()]
  const subscription = await log.consume({
    group: 'bench', topics: [TOPIC], batchRecordsMax: 2000, batchBytesMax: 4_000_000, lingerMs: 0, onFault: (error) => console.error(error),
    open: async ({ committed }) => ({ from: committed.offset, handle: async ({ records }) => ((count += records.length), { outputs: [] }), close: async () => {} }),
  })
  await subscription.drain()
  row('consume and commit, joining included', count, cpu(used), performance.now() - start)
  await subscription.stop()
}

try {
  codecs()
  await ensureKafkaTopics(broker.brokers)
  const log = await createKafkaLog({ brokers: broker.brokers, slot: '0', hot: {} })
  await appends(log)
  await reads(log)
  await consumes(log)
  await log.close()
} finally {
  await broker.stop()
  await rm(folder, { recursive: true, force: true })
}
