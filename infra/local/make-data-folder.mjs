// Makes tests/fixtures/data-folder-v<n>.tar.gz: a small data folder as this build writes it, which later builds must open.
// Run it once for each version of the folder: `node infra/local/make-data-folder.mjs`, after `npm run build`.
import { spawn } from 'node:child_process'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const PORT = '18480'
const URL_HTTP = `http://127.0.0.1:${PORT}`
const HEADERS = { authorization: 'Bearer fixture-api-key', 'content-type': 'application/json' }

const EVENTS = [
  { type: 'track', messageId: 'f-1', anonymousId: 'a-1', event: 'Product Viewed', timestamp: '2026-01-05T08:00:00Z', properties: { name: '龙井', price: 168 } },
  { type: 'identify', messageId: 'f-2', anonymousId: 'a-1', userId: 'u-1', timestamp: '2026-01-05T08:01:00Z', traits: { name: '小明', plan: 'pro' } },
  { type: 'track', messageId: 'f-3', userId: 'u-1', event: 'Order Completed', timestamp: '2026-01-05T08:02:00Z', properties: { order_id: 'o-1', revenue: 100.1, currency: 'CNY' } },
  { type: 'track', messageId: 'f-4', userId: 'u-1', event: 'Order Completed', timestamp: '2026-01-06T08:02:00Z', properties: { order_id: 'o-2', revenue: 200.2, currency: 'CNY' } },
  { type: 'track', messageId: 'f-4', userId: 'u-1', event: 'Order Completed', timestamp: '2026-01-06T08:02:00Z', properties: { order_id: 'o-2', revenue: 200.2, currency: 'CNY' } },
  { type: 'track', messageId: 'f-5', anonymousId: 'a-2', event: 'Product Viewed', timestamp: '2026-01-07T08:00:00Z', properties: {} },
  { type: 'track', messageId: 'f-6', userId: 'u-1', timestamp: '2026-01-07T08:00:00Z' },
]
const RULE = { did: { event: 'Order Completed', measure: 'count', op: 'gte', value: 2, window: 'ever' } }

const ask = async (path, body) => {
  const answer = await fetch(URL_HTTP + path, { headers: HEADERS, ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}) })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

const until = async (satisfied) => {
  for (let tries = 0; tries < 600; tries++) {
    if (await satisfied().catch(() => false)) return
    await sleep(100)
  }
  throw new Error('not so within a minute')
}

const folder = mkdtempSync(join(tmpdir(), 'millrace-fixture-'))
const args = ['--data-dir', join(folder, 'data'), '--port', PORT, '--clickhouse-port', '18481', '--write-key', 'fixture-write-key', '--api-key', 'fixture-api-key']
const child = spawn(process.execPath, [join(root, 'packages/up/dist/main.js'), ...args], { stdio: 'ignore', env: { ...process.env, UV_THREADPOOL_SIZE: '16' } })
const ended = new Promise((resolve) => child.once('exit', resolve))
try {
  await until(async () => (await fetch(`${URL_HTTP}/readyz`)).ok)
  const { id } = await ask('/api/segments', { name: 'bought twice', rule: RULE })
  await ask('/v1/batch', { writeKey: 'fixture-write-key', batch: EVENTS })
  await until(async () => (await ask('/api/ledger')).total.stored === 5)
  await until(async () => (await ask(`/api/segments/${id}/members`)).members.length === 1)
} finally {
  child.kill('SIGTERM')
  await ended
}
const version = readFileSync(join(folder, 'data/VERSION'), 'utf8').trim()
const target = join(root, `tests/fixtures/data-folder-v${version}.tar.gz`)
mkdirSync(dirname(target), { recursive: true })
// The log of messages and who held the folder are of this machine, not of the format.
execFileSync('tar', ['-czf', target, '--exclude=millrace.log*', '--exclude=holder.*', '--exclude=lock.mdb', '-C', folder, 'data'])
rmSync(folder, { recursive: true })
console.log(`${target}: ${statSync(target).size} bytes`)
