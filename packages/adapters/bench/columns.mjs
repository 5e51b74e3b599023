// What an insert of 10,000 rows and a question cost in process, and over HTTP from a process of its own.
// npx tsc -b packages/up && UV_THREADPOOL_SIZE=16 node packages/adapters/bench/columns.mjs
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { createChdbStore, createClickHouseStore } from '../dist/index.js'

const ROWS = 10_000
const INSERTS = 20
const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-columns-'))

const TABLE = `CREATE TABLE default.events (n UInt32, event LowCardinality(String), at DateTime64(3, 'UTC'), person UUID, strs Map(LowCardinality(String), String), nums Map(LowCardinality(String), Float64))
  ENGINE = MergeTree ORDER BY (event, at) SETTINGS non_replicated_deduplication_window = 1000`
const rows = Buffer.from(Array.from({ length: ROWS }, (_, n) => `${JSON.stringify({
  n, event: `Event ${n % 12}`, at: `2024-01-${String(1 + (n % 28)).padStart(2, '0')} 12:34:56.789`, person: `00000000-0000-4000-8000-${String(n % 500).padStart(12, '0')}`,
  strs: { path: `/products/${n % 100}`, referrer: 'https://example.com/', city: 'Hangzhou', plan: 'pro' }, nums: { price: n / 7, quantity: n % 5 },
})}\n`).join(''))

const startEngine = async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../up/dist/engine/main.js')], {
    env: { ...process.env, UV_THREADPOOL_SIZE: '16', ENGINE_DATA_DIR: join(dir, 'server'), ENGINE_PORT: '0', CLICKHOUSE_PASSWORD: 'bench' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of child.stdout) {
    const url = /"engine\.listening","url":"([^"]+)"/.exec(String(line))?.[1]
    if (url) return { url, pid: child.pid, stop: async () => (child.kill('SIGTERM'), await once(child, 'exit')) }
  }
  throw new Error('the engine did not start')
}

/** CPU that another process has used, in ms; Linux tells it in hundredths of a second. */
const cpuOf = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
const ownCpu = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000

const measure = async (name, store, serverPid) => {
  await store.command('DROP TABLE IF EXISTS default.events')
  await store.command(TABLE)
  const timed = async (times, work) => {
    const wall = []
    const [own, server] = [ownCpu(), serverPid ? cpuOf(serverPid) : 0]
    for (let n = 0; n < times; n++) {
      const started = performance.now()
      await work(n)
      wall.push(performance.now() - started)
    }
    wall.sort((a, b) => a - b)
    return { p50: wall[times >> 1], own: (ownCpu() - own) / times, server: serverPid ? (cpuOf(serverPid) - server) / times : 0 }
  }
  await store.insert({ table: 'default.events', rows, token: `${name}-warm` })
  const insert = await timed(INSERTS, (n) => store.insert({ table: 'default.events', rows, token: `${name}-${n}` }))
  const repeat = await timed(INSERTS, (n) => store.insert({ table: 'default.events', rows, token: `${name}-${n}` }))
  const question = await timed(100, () => store.query('SELECT event, count() AS n FROM default.events GROUP BY event'))
  const stream = await timed(3, async () => {
    for await (const _ of store.stream('SELECT number, number * 2 FROM numbers(2000000)', 'RowBinary'));
  })
  for (const [what, { p50, own, server }] of Object.entries({ [`insert ${ROWS} rows`]: insert, 'the same again': repeat, 'small question': question, 'stream of 32 MB': stream }))
    console.log(`| ${name} | ${what} | ${p50.toFixed(1)} | ${own.toFixed(1)} | ${server.toFixed(1)} |`)
}

console.log(`rows of ${(rows.length / ROWS).toFixed(0)} bytes, as gzip ${(gzipSync(rows, { level: 1 }).length / ROWS).toFixed(0)}\n| | | p50 ms | own CPU ms | server's CPU ms |\n|---|---|---|---|---|`)
const embedded = createChdbStore({ path: join(dir, 'embedded') })
await measure('in process', embedded)
await embedded.close()
const engine = await startEngine()
for (const [name, gzipBytesMin] of [['HTTP', Infinity], ['HTTP, gzip', 0]]) {
  const store = createClickHouseStore({ url: engine.url, username: 'default', password: 'bench', gzipBytesMin })
  await measure(name, store, engine.pid)
  await store.close()
}
await engine.stop()
rmSync(dir, { recursive: true, force: true })
