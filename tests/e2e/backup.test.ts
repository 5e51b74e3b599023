import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { eventually, startMillrace, type Millrace } from '../support/millrace.ts'
import { runProgram, type Ran } from '../support/program.ts'

const BATCHES_MAX = 400
const LONG = process.env['MILLRACE_LONG'] === '1'
const ENV = { UV_THREADPOOL_SIZE: '16' }

/** Copies of thousands of small files, each flushed to disk; the short form is packages/up/test/backup.test.ts. */
if (!LONG) process.stdout.write('SKIPPED backups of whole folders: a minute and a half; MILLRACE_LONG=1 runs them\n')

describe.skipIf(!LONG)('a backup', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-backup-'))
  const at = (name: string): string => join(folder, name)
  const ops = (...args: readonly string[]): Promise<Ran> => runProgram('ops/main.js', args, ENV)
  const equal = async (a: string, b: string): Promise<void> =>
    expect(await runProgram('diff/main.js', [at(a), at(b)], ENV)).toMatchObject({ code: 0, text: expect.stringContaining('\n0 differing rows\n') })
  let millrace: Millrace | undefined
  afterAll(async () => {
    await millrace?.kill()
    rmSync(folder, { recursive: true, force: true })
  })

  it('of a running Millrace has all that was acknowledged before it, while events go on, and every view of a replay', async () => {
    millrace = await startMillrace({ dataDir: at('a') })
    const { id } = await millrace.api<{ id: string }>('/api/segments', { name: 'buyers', rule: { did: { event: 'Order Completed', measure: 'count', op: 'gte', value: 2, window: { last: '7d' } } } })
    await eventually(() => millrace!.api<{ state: string }>(`/api/segments/${id}`), ({ state }) => state === 'live')
    const flow = keepSending(millrace)
    await flow.until(20)
    const before = flow.acknowledged()
    expect(await ops('backup', '--data-dir', at('a'), '--to', at('hot'))).toMatchObject({ code: 0, text: expect.stringContaining('the log of a running Millrace') })
    const during = flow.acknowledged() - before
    await flow.stop()
    expect(during).toBeGreaterThan(0)
    expect(await millrace.stop()).toBe(0)

    expect(await ops('restore', '--from', at('hot'), '--to', at('r'))).toMatchObject({ code: 0 })
    expect(await runProgram('replay/main.js', ['--from', at('r'), '--to', at('r2')], ENV)).toMatchObject({ code: 0 })
    await equal('r', 'r2')
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([])
    millrace = await startMillrace({ dataDir: at('r') })
    const there = new Set((await millrace.sql<{ message_id: string }>('SELECT message_id FROM millrace.events')).map((row) => row.message_id))
    for (let batch = 0; batch < before; batch++) for (const { messageId } of batchOf(batch)) expect(there.has(messageId)).toBe(true)
    expect(await millrace.api('/api/ledger')).toMatchObject({ balanced: true })
    expect(await millrace.stop()).toBe(0)
  })

  it('of a stopped one is the folder as it is; one that was damaged or is not whole is refused', async () => {
    expect(await ops('backup', '--data-dir', at('a'), '--to', at('cold'))).toMatchObject({ code: 0, text: expect.stringContaining('the whole stopped folder') })
    expect(await ops('restore', '--from', at('cold'), '--to', at('f'))).toMatchObject({ code: 0 })
    await equal('a', 'f')
    expect(await ops('restore', '--from', at('cold'), '--to', at('f'))).toMatchObject({ code: 1, text: expect.stringContaining('is not empty') })
    expect(await ops('rebuild', '--data-dir', at('f'), '--month', '2026-13')).toMatchObject({ code: 2 })
    expect(await ops('backup', '--data-dir', at('a'), '--to', join(at('a'), 'inside'))).toMatchObject({ code: 2 })
    expect(await ops('backup', '--data-dir', at('nowhere'), '--to', at('none'))).toMatchObject({ code: 1, text: expect.stringContaining('is no data folder') })

    const manifest = readFileSync(join(at('cold'), 'backup.json'))
    appendFileSync(join(at('cold'), 'data/log/data.mdb'), 'x')
    expect(await ops('restore', '--from', at('cold'), '--to', at('g'))).toMatchObject({ code: 1, text: expect.stringContaining('log/data.mdb is not as it was') })
    rmSync(join(at('cold'), 'backup.json'))
    expect(await ops('restore', '--from', at('cold'), '--to', at('g'))).toMatchObject({ code: 1, text: expect.stringContaining('no whole backup') })
    writeFileSync(join(at('cold'), 'backup.json'), manifest.subarray(0, 50))
    expect(await ops('restore', '--from', at('cold'), '--to', at('g'))).toMatchObject({ code: 1, text: expect.stringContaining('cannot be read') })
  })
})

interface Sent {
  readonly type: 'track'
  readonly event: string
  readonly messageId: string
  readonly userId?: string
  readonly anonymousId: string
}

/** Devices that sign in, orders, and repeats of the batch before. */
const batchOf = (batch: number): readonly Sent[] =>
  Array.from({ length: 10 }, (_, index): Sent => ({
    type: 'track', event: index % 4 === 0 ? 'Order Completed' : 'Viewed', messageId: `m-${index === 9 ? batch - 1 : batch}-${index % 9}`,
    anonymousId: `d-${(batch * 3 + index) % 20}`, ...(index % 3 === 0 ? { userId: `u-${(batch + index) % 15}` } : {}),
  })).filter(({ messageId }) => !messageId.startsWith('m--'))

/** One batch behind the other until it is told to stop, or the bound is met. */
const keepSending = (millrace: Millrace) => {
  const asked = new AbortController()
  let acknowledged = 0
  const waiting = new Map<number, () => void>()
  const sending = (async () => {
    for (let batch = 0; batch < BATCHES_MAX && !asked.signal.aborted; batch++) {
      const answer = await millrace.send(batchOf(batch))
      if (!answer.ok) throw new Error(`refused: ${answer.status}`)
      acknowledged = batch + 1
      waiting.get(acknowledged)?.()
    }
  })()
  return {
    acknowledged: () => acknowledged,
    until: (count: number): Promise<unknown> => Promise.race([new Promise<void>((resolve) => void waiting.set(count, resolve)), sending]),
    stop: (): Promise<void> => {
      asked.abort()
      return sending
    },
  }
}
