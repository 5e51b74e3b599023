/* Prints durable appends a second and what they cost. Needs a build: npx tsc -b packages/adapters */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmbeddedHotStore, createEmbeddedLog, createSystemClock, openLmdb } from '../dist/index.js'

const SECONDS = Number(process.argv[2] ?? 3)

const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]

const measure = async (name, writers, run) => {
  const times = []
  const until = performance.now() + SECONDS * 1000
  const cpu = process.cpuUsage()
  await Promise.all(Array.from({ length: writers }, async (_, writer) => {
    for (let n = 0; performance.now() < until; n++) {
      const start = performance.now()
      await run(writer, n)
      times.push(performance.now() - start)
    }
  }))
  const { user, system } = process.cpuUsage(cpu)
  times.sort((a, b) => a - b)
  const row = [`${Math.round(times.length / SECONDS)}/s`, `${((user + system) / times.length).toFixed(1)} us CPU each`,
    `p50 ${percentile(times, 0.5).toFixed(1)} ms`, `p99 ${percentile(times, 0.99).toFixed(1)} ms`]
  console.log(`${name.padEnd(52)} ${row.join('  ')}`)
}

const dir = await mkdtemp(join(tmpdir(), 'millrace-bench-'))
for (const syncMode of ['disk', 'os']) {
  const root = await openLmdb(join(dir, syncMode), { syncMode })
  let commits = 0
  root.onCommitted(() => commits++)
  const log = createEmbeddedLog({ root })
  const hot = createEmbeddedHotStore({ root, clock: createSystemClock() })
  const append = (bytes) => {
    const value = Buffer.alloc(bytes, 'x')
    return (writer) => log.append([{ topic: 'events.accepted', partition: writer % 4, value }])
  }
  await measure(`${syncMode}: append 1 KB, 1 writer`, 1, append(1_000))
  commits = 0
  await measure(`${syncMode}: append 1 KB, 64 writers`, 64, append(1_000))
  console.log(`${''.padEnd(52)} ${(commits / SECONDS).toFixed(0)} transactions/s`)
  await measure(`${syncMode}: append 1 KB, 512 writers`, 512, append(1_000))
  await measure(`${syncMode}: append 20 KB, 64 writers`, 64, append(20_000))
  const document = { traits: { plan: 'free', city: 'Shanghai' }, counts: Array.from({ length: 20 }, (_, n) => n) }
  await measure(`${syncMode}: hot write of 100 documents, 4 scopes`, 4, (writer, n) =>
    hot.apply({ scope: `bench:${writer}`, watermark: n, deletes: [], timers: [], puts: Array.from({ length: 100 }, (_, k) => [`k${(n * 100 + k) % 20_000}`, document]) }))
  let key = 0
  await measure(`${syncMode}: hot read of 100 documents, in memory or not`, 1, () =>
    hot.get('bench:0', Array.from({ length: 100 }, () => `k${key++ % 20_000}`)))
  await hot.close()
  await log.close()
  await root.close()
}
await rm(dir, { recursive: true })
