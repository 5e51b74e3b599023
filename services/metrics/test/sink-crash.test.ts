import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chanceFrom } from '@millrace/contracts'
import { afterAll, describe, expect, it } from 'vitest'
import { COUNTS, fill, rowsOf, type Expected } from './sink-log.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 7)
const KILLS = Number(process.env['MILLRACE_KILLS'] ?? (process.env['MILLRACE_LONG'] === '1' ? 40 : 4))

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

describe(`the sink under kill -9, seed ${SEED}`, () => {
  const folders: string[] = []
  const prepare = async (): Promise<{ dir: string; expected: Expected }> => {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-sink-'))
    folders.push(dir)
    return { dir, expected: await fill(dir, SEED) }
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
  afterAll(() => folders.forEach((dir) => rmSync(dir, { recursive: true, force: true })))

  it(`stores everything once, in tables and aggregates, over ${KILLS} kills (P1, P2)`, async () => {
    const { dir, expected } = await prepare()
    const kills = await chaos(dir, 'declared', KILLS)
    const total = [...kills.values()].reduce((sum, n) => sum + n, 0)
    process.stdout.write(`sink: ${expected.events} events, ${total} kills: ${[...kills].sort().map(([point, n]) => `${point} ${n}`).join(', ')}\n`)
    expect(total).toBeGreaterThanOrEqual(KILLS)
    expect(count(dir)).toEqual(rowsOf(expected))
  })

  for (const strategy of ['withoutToken', 'withoutJournal']) {
    it(`notices that rows are stored twice ${strategy === 'withoutToken' ? 'without the token' : 'without the declared end'}`, async () => {
      const { dir, expected } = await prepare()
      await chaos(dir, strategy, 2, ['sink.inserted', 'sink.between-tables'])
      const counted = count(dir)
      process.stdout.write(`sink ${strategy}: ${counted['events']} rows of ${expected.events} events\n`)
      expect(counted['events']).toBeGreaterThan(expected.events)
    })
  }
})
