/* Prints what steps cost in Redis. Needs a build and a Redis: npx tsc -b packages/testkit && node packages/adapters/bench/redis.mjs [seconds] [url] */
import { join } from 'node:path'
import { createRedisHotStore, createSystemClock } from '../dist/index.js'
import { startRedis } from '../../testkit/dist/index.js'

const SECONDS = Number(process.argv[2] ?? 3)
const KEYS = 20_000

const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]

/** CPU of the server, in seconds so far. */
const serverCpu = async (server) => {
  if (!server) return 0
  const info = await server.info('cpu')
  return Number(/used_cpu_user:([\d.]+)/.exec(info)[1]) + Number(/used_cpu_sys:([\d.]+)/.exec(info)[1])
}

const measure = async (name, server, copies, each, run) => {
  const times = []
  const [cpu, redis] = [process.cpuUsage(), await serverCpu(server)]
  const start = performance.now()
  await Promise.all(Array.from({ length: copies }, async (_, copy) => {
    for (let n = 0; performance.now() < start + SECONDS * 1000; n++) {
      const began = performance.now()
      await run(copy, n)
      times.push(performance.now() - began)
    }
  }))
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const documents = times.length * each
  times.sort((a, b) => a - b)
  const row = [`${Math.round(documents / seconds)} documents/s`, `${((user + system) / documents).toFixed(1)} us CPU here`,
    `${((((await serverCpu(server)) - redis) * 1e6) / documents).toFixed(1)} us in Redis`, `p50 ${percentile(times, 0.5).toFixed(1)} ms`, `p99 ${percentile(times, 0.99).toFixed(1)} ms`]
  console.log(`${name.padEnd(44)} ${row.join('  ')}`)
}

const document = { traits: { plan: 'free', city: 'Shanghai' }, counts: Array.from({ length: 20 }, (_, n) => n) }
const own = process.argv[3]
for (const appendfsync of own ? ['as it is'] : ['always', 'everysec']) {
  const server = own ? null : await startRedis(join(import.meta.dirname, '../../../node_modules/.cache/millrace'), { appendfsync })
  const hot = await createRedisHotStore({ urls: [own ?? server.url], prefix: `bench${process.pid}`, clock: createSystemClock() })
  for (const each of [100, 1000]) {
    for (const copies of [1, 4]) {
      await measure(`${appendfsync}: apply of ${each} documents, ${copies} scopes`, server, copies, each, (copy, n) =>
        hot.apply({
          scope: `bench:${each}:${copies}:${copy}`, watermark: n + 1, deletes: [], timers: [[`t${n % KEYS}`, n]],
          puts: Array.from({ length: each }, (_, k) => [`k${(n * each + k) % KEYS}`, document]),
        }, n))
    }
  }
  let key = 0
  await measure(`${appendfsync}: get of 100 documents`, server, 1, 100, () => hot.get('bench:1000:1:0', Array.from({ length: 100 }, () => `k${key++ % KEYS}`)))
  await measure(`${appendfsync}: scan of 100 documents`, server, 1, 100, () => hot.scan('bench:1000:1:0', { prefix: 'k1', limit: 100 }))
  for (const each of [100, 1000]) for (const copies of [1, 4]) for (let copy = 0; copy < copies; copy++) await hot.clear(`bench:${each}:${copies}:${copy}`)
  await hot.close()
  await server?.stop()
}
