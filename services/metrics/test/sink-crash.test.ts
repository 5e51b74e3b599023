import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmbeddedLog, openLmdb } from '@millrace/adapters'
import { chanceFrom, encodeRecord, topics, type OriginCount, type RecordHeader } from '@millrace/contracts'
import type { NewRecord } from '@millrace/ports'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 7)
const KILLS = Number(process.env['MILLRACE_KILLS'] ?? 21)
const RECORDS = 160
const AT = Date.UTC(2024, 5, 1)

interface Expected {
  events: number
  units: number
  repeats: number
  rejected: number
  flips: number
  numbers: number
  clock: number
}

/** What resolve, identity, segmentation and ingest would have written. */
const fill = async (dir: string): Promise<Expected> => {
  const next = chanceFrom(SEED).next
  const whole = (max: number): number => Math.floor(next() * max)
  const records: NewRecord[] = []
  const expected: Expected = { events: 0, units: 0, repeats: 0, rejected: 0, flips: 0, numbers: 0, clock: 0 }
  const add = (topic: string, partition: number, header: Partial<RecordHeader>, lines: readonly object[]): void => {
    const whole: RecordHeader = { kind: 'resolved', project: 1, count: lines.length, origins: [], ...header }
    records.push({ topic, partition, value: encodeRecord(whole, lines.map((line) => JSON.stringify(line))) })
  }
  for (let index = 0; index < RECORDS; index++) {
    const partition = index % 4
    const receivedAt = AT + index * 60_000
    const origin: OriginCount = { source: 'web', protocol: 'segment', receivedAt, sentAt: null, events: 1 + whole(30), repeats: whole(3) }
    const lines = Array.from({ length: origin.events }, (_, line) => {
      const cents = whole(10_000)
      expected.units += cents
      return {
        type: 'event', origin: 0, key: `user_id:u${whole(50)}`, number: whole(50), epoch: 0, place: [0, index, line],
        person: '00000000-0000-4000-8000-000000000001',
        event: {
          type: 'track', event: `e${whole(3)}`, userId: 'u1', messageId: `m${index}-${line}`,
          // An import reaches from the year 2000 to now, so that one insert makes many parts.
          timestamp: new Date(Date.UTC(2000 + (index % 10 === 0 ? whole(24) : 24), whole(5), 1 + whole(28))).toISOString(),
          properties: { revenue: cents / 100, text: 'x\ud800y' },
        },
      }
    })
    add(topics.resolved.name, partition, { origins: [origin], count: origin.events }, lines)
    expected.events += origin.events
    expected.repeats += origin.repeats
    expected.clock = Math.max(expected.clock, receivedAt)
    if (index % 5 === 0) {
      add(topics.rejected.name, 0, { kind: 'rejected', origins: [origin] }, [{ code: 'NOT_JSON', detail: 'x', bytes: '', messageId: null }])
      add(topics.segmentChanged.name, 0, { kind: 'flips' }, [
        { type: 'flip', segment: 's', version: 1, person: '00000000-0000-4000-8000-000000000001', flip: 'entered', at: receivedAt, number: index, cause: 'event' },
      ])
      add(topics.map.name, 0, { kind: 'map' }, [
        { type: 'number.mapped', number: index, key: `user_id:u${index}`, person: '00000000-0000-4000-8000-000000000001', personNumber: 0, linkedAt: receivedAt, version: index + 1 },
      ])
      expected.rejected++
      expected.flips++
      expected.numbers++
    }
  }
  const root = await openLmdb(join(dir, 'log'), { syncMode: 'os' })
  const log = createEmbeddedLog({ root })
  for (let at = 0; at < records.length; at += 50) await log.append(records.slice(at, at + 50))
  await log.close()
  await root.close()
  return expected
}

interface Life {
  readonly dir: string
  readonly batchRecordsMax: number
  readonly killAt: string
  readonly killAfter: number
  readonly strategy: string
}

/** The point at which the child was killed, or `drained`. */
const live = (life: Life): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'sink-child.mjs'), JSON.stringify(life)], {
      env: { ...process.env, UV_THREADPOOL_SIZE: '16', NODE_OPTIONS: '' },
    })
    let output = ''
    let faults = ''
    child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)))
    child.stderr.on('data', (chunk: Buffer) => (faults += String(chunk)))
    child.once('exit', (code, signal) => {
      if (signal === 'SIGKILL' || code === 0) resolve(output.trim().split('\n').at(-1) ?? 'killed')
      else reject(new Error(`the child ended with ${code}: ${faults}`))
    })
  })

const POINTS = ['sink.declared', 'sink.between-tables', 'sink.inserted', '*']

/** Kills a sink again and again; then lets it finish. How often it was killed where. */
const chaos = async (dir: string, strategy: string, kills: number, points = POINTS): Promise<ReadonlyMap<string, number>> => {
  const next = chanceFrom(SEED * 31 + kills).next
  const counts = new Map<string, number>()
  for (let life = 0; ; life++) {
    const done = [...counts.values()].reduce((sum, n) => sum + n, 0) >= kills
    const killAt = done ? 'never' : points[life % points.length]!
    const killAfter = killAt === '*' ? 10 + Math.floor(next() * 30) : 1 + Math.floor(next() * 3)
    const point = await live({ dir, batchRecordsMax: 1 + Math.floor(next() * 6), killAt, killAfter, strategy })
    if (point === 'drained') return counts
    counts.set(point, (counts.get(point) ?? 0) + 1)
  }
}

const COUNTS = `SELECT
  (SELECT count() FROM millrace_store.events) AS events,
  (SELECT toInt64(sum(revenue) * 100) FROM millrace_store.events) AS units,
  (SELECT sum(events) FROM millrace_store.event_day WHERE event = '*') AS dayEvents,
  (SELECT toInt64(sum(revenue) * 100) FROM millrace_store.event_day WHERE event = '*') AS dayUnits,
  (SELECT uniqExact(message_id) FROM millrace_store.events) AS distinctEvents,
  (SELECT sum(n) FROM millrace_store.repeats) AS repeats,
  (SELECT count() FROM millrace_store.rejected) AS rejected,
  (SELECT count() FROM millrace_store.flips) AS flips,
  (SELECT count() FROM millrace_store.numbers FINAL) AS numbers,
  (SELECT toUnixTimestamp64Milli(max(at)) FROM millrace_store.clock) AS clock`

const rowsOf = (expected: Expected) => {
  const { events, units, repeats, rejected, flips, numbers, clock } = expected
  return { events, units, dayEvents: events, dayUnits: units, distinctEvents: events, repeats, rejected, flips, numbers, clock }
}

describe(`the sink under kill -9, seed ${SEED}`, () => {
  const folders: string[] = []
  const prepare = async (): Promise<{ dir: string; expected: Expected }> => {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-sink-'))
    folders.push(dir)
    return { dir, expected: await fill(dir) }
  }
  /** In a process of its own, since one process serves one folder of chDB. */
  const count = (dir: string): Record<string, number> => {
    const script = `
      import { createChdbStore } from '@millrace/adapters'
      const columns = createChdbStore({ path: ${JSON.stringify(`${dir}/store`)} })
      const [row] = await columns.query(${JSON.stringify(COUNTS)})
      await columns.close()
      process.stdout.write(JSON.stringify(row))`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: import.meta.dirname, env: { ...process.env, NODE_OPTIONS: '' } })
    return Object.fromEntries(Object.entries(JSON.parse(String(output)) as object).map(([name, value]) => [name, Number(value)]))
  }
  beforeAll(() => {
    // The children run what is built.
    execFileSync('npx', ['tsc', '-b', 'packages/adapters', 'services/metrics'], { cwd: join(import.meta.dirname, '../../..'), stdio: 'pipe' })
  })
  afterAll(() => folders.forEach((dir) => rmSync(dir, { recursive: true, force: true })))

  it(`stores everything once, in tables and aggregates, over ${KILLS} kills (P1, P2)`, { timeout: 300_000 }, async () => {
    const { dir, expected } = await prepare()
    const kills = await chaos(dir, 'declared', KILLS)
    const total = [...kills.values()].reduce((sum, n) => sum + n, 0)
    process.stdout.write(`sink: ${expected.events} events, ${total} kills: ${[...kills].sort().map(([point, n]) => `${point} ${n}`).join(', ')}\n`)
    expect(total).toBeGreaterThanOrEqual(KILLS)
    expect(count(dir)).toEqual(rowsOf(expected))
  })

  for (const strategy of ['withoutToken', 'withoutJournal']) {
    it(`notices that rows are stored twice ${strategy === 'withoutToken' ? 'without the token' : 'without the declared end'}`, { timeout: 300_000 }, async () => {
      const { dir, expected } = await prepare()
      await chaos(dir, strategy, 3, ['sink.inserted', 'sink.between-tables'])
      const counted = count(dir)
      process.stdout.write(`sink ${strategy}: ${counted['events']} rows of ${expected.events} events\n`)
      expect(counted['events']).toBeGreaterThan(expected.events)
    })
  }
})
