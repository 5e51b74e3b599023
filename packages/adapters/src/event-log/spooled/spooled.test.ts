import { cpSync, mkdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { allTopics, topics } from '@millrace/contracts'
import type { NewRecord, SpooledLog } from '@millrace/ports'
import { eventLogAppendSuite, eventually } from '@millrace/ports/suites'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSystemClock } from '../../clock/system.ts'
import { openLmdb } from '../../lmdb/open.ts'
import { createEmbeddedLog } from '../embedded.ts'
import { createSpooledLog, type SpooledLogOptions } from './index.ts'
import { createScriptedLog, type ScriptedLog } from './scripted-log.ts'

const TOPIC = topics.accepted.name
const QUICK = { backOff: { firstMs: 2, mostMs: 10 }, settleMs: 5, openMsMax: 500, freeBytesMin: 0 }
/** More than any disk has. */
const NO_ROOM = Number.MAX_SAFE_INTEGER
const SETTLE_MS = 777
const record = (text: string, partition = 0): NewRecord => ({ topic: TOPIC, partition, key: 'k', value: Buffer.from(text) })

describe('a log with a spool before it', () => {
  let base: string
  let scripted: ScriptedLog
  let warnings: { event: string; message: string }[]
  let opened: SpooledLog[]
  const open = async (options: Partial<SpooledLogOptions> = {}): Promise<SpooledLog> => {
    const spooled = await createSpooledLog({
      log: scripted.log, dir: join(base, 'spool'), bytesMax: 1 << 20, clock: createSystemClock(), onWarning: (warning) => warnings.push(warning), ...QUICK, ...options,
    })
    opened.push(spooled)
    return spooled
  }
  const events = (): readonly string[] => warnings.map(({ event }) => event).filter((event) => event !== 'spool.waits')
  const drained = (spooled: SpooledLog): Promise<void> => eventually(() => !spooled.figures().spooling)
  /** A log that refuses, and one append of which it will do so only when `fail` says: another is in the spool by then. */
  const quickBeforeSlow = async (spooled: SpooledLog): Promise<{ readonly slow: Promise<void>; fail(): void }> => {
    let fail: (() => void) | null = null
    scripted.script = () => 'refused'
    scripted.answering = () => new Promise((resolve) => { fail = resolve })
    const slow = spooled.append([record('slow', 1)])
    await eventually(() => fail !== null)
    scripted.answering = async () => {}
    await spooled.append([record('quick')])
    return { slow, fail: () => fail!() }
  }
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), 'millrace-spool-'))
    scripted = createScriptedLog()
    warnings = []
    opened = []
  })
  afterEach(async () => {
    for (const spooled of opened) await spooled.close()
    await rm(base, { recursive: true })
  })

  it('hands on at once while the log takes what comes, and keeps nothing', async () => {
    const spooled = await open()
    await spooled.append([record('a'), record('b', 1)])
    expect(scripted.texts(TOPIC, 0)).toEqual(['a'])
    expect(spooled.figures()).toEqual({ records: 0, bytes: 0, bytesMax: 1 << 20, oldestAt: null, spooling: false })
    expect(events()).toEqual([])
  })

  it('takes what comes while the log is away, and sends it in order when it is back', async () => {
    const spooled = await open()
    await spooled.append([record('1')])
    scripted.away = true
    for (const text of ['2', '3', '4']) await spooled.append([record(text)])
    await spooled.ready()
    expect(spooled.figures()).toMatchObject({ records: 3, spooling: true })
    expect(spooled.figures().bytes).toBeGreaterThan(100)
    expect(Date.now() - spooled.figures().oldestAt!).toBeLessThan(60_000)
    scripted.away = false
    await drained(spooled)
    await spooled.append([record('5')])
    expect(scripted.texts(TOPIC, 0)).toEqual(['1', '2', '3', '4', '5'])
    expect(spooled.figures()).toEqual({ records: 0, bytes: 0, bytesMax: 1 << 20, oldestAt: null, spooling: false })
    expect(events()).toEqual(['spool.begun', 'spool.looked', 'spool.drained'])
  })

  it('sends nothing while it does not know where the log ends, so that nothing needs to be looked for from the beginning', async () => {
    scripted.away = true
    const spooled = await open({ openMsMax: 10 })
    await spooled.append([record('1')])
    expect(scripted.counts.appends).toBe(0)
    scripted.away = false
    await drained(spooled)
    expect([scripted.texts(TOPIC, 0), scripted.counts.reads]).toEqual([['1'], 0])
  })

  it('does not send twice what the log has although it did not say so', async () => {
    const spooled = await open()
    await spooled.append([record('0')])
    scripted.script = () => 'answer-lost'
    await spooled.append([record('1'), record('1 of another', 1)])
    // The spool's own appends are in doubt, too.
    await eventually(() => scripted.counts.appends > 4 || !spooled.figures().spooling)
    scripted.script = () => 'taken'
    await spooled.append([record('2')])
    await drained(spooled)
    expect([scripted.texts(TOPIC, 0), scripted.texts(TOPIC, 1)]).toEqual([['0', '1', '2'], ['1 of another']])
  })

  it('does not send twice what the spool sent itself without an answer', async () => {
    scripted.away = true
    const spooled = await open({ openMsMax: 10, batchBytesMax: 300 })
    for (let n = 0; n < 12; n++) await spooled.append([record(`${n}`, n % 2)])
    let sends = 0
    scripted.script = () => (['answer-lost', 'refused', 'arrives-later', 'taken'] as const)[sends++ % 4]!
    scripted.away = false
    await drained(spooled)
    expect([scripted.texts(TOPIC, 0), scripted.texts(TOPIC, 1)]).toEqual([['0', '2', '4', '6', '8', '10'], ['1', '3', '5', '7', '9', '11']])
    expect(sends).toBeGreaterThan(4)
  })

  it('waits for what was given up and may still arrive, and for what an open transaction hides', async () => {
    const spooled = await open()
    await spooled.append([record('0')])
    scripted.script = () => 'arrives-later'
    await spooled.append([record('1'), record('2')])
    scripted.hidden = 2
    scripted.script = () => 'taken'
    await eventually(() => scripted.counts.reads > 0)
    scripted.hidden = 0
    await drained(spooled)
    expect(scripted.texts(TOPIC, 0)).toEqual(['0', '1', '2'])
  })

  it('looks from where the log ended when the append began, not from where it ends when it fails', async () => {
    const spooled = await open({ measureEveryMs: 5 })
    await spooled.append([record('0')])
    let fail = (): void => {}
    scripted.script = () => 'answer-lost'
    scripted.answering = () => new Promise((resolve) => { fail = resolve })
    const doubtful = spooled.append([record('1')])
    const measured = scripted.counts.extents
    await eventually(() => scripted.counts.extents > measured)
    scripted.script = () => 'taken'
    scripted.answering = async () => {}
    // What was measured is known a moment after the log has said it.
    const again = scripted.counts.extents
    await spooled.append([record('elsewhere', 1)])
    await eventually(() => scripted.counts.extents > again)
    fail()
    await doubtful
    await drained(spooled)
    expect(scripted.texts(TOPIC, 0)).toEqual(['0', '1'])
  })

  it('gives what is given up during the wait a wait of its own', async () => {
    const settles: (() => void)[] = []
    const clock = createSystemClock()
    const patient = { ...clock, after: (ms: number, done: () => void) => (ms === SETTLE_MS ? (settles.push(done), () => {}) : clock.after(ms, done)) }
    const spooled = await open({ clock: patient, settleMs: SETTLE_MS })
    const { slow, fail } = await quickBeforeSlow(spooled)
    await eventually(() => settles.length === 1)
    fail()
    await slow
    scripted.script = () => 'taken'
    settles[0]!()
    await eventually(() => settles.length === 2)
    expect(scripted.texts(TOPIC, 1)).toEqual([])
    settles[1]!()
    await drained(spooled)
    expect([scripted.texts(TOPIC, 0), scripted.texts(TOPIC, 1)]).toEqual([['quick'], ['slow']])
  })

  it('sends what is given up in the very moment in which nothing else waits', async () => {
    let held: { readonly slow: Promise<void>; fail(): void } | null = null
    const spooled = await open({ probe: (at) => at === 'spool.removed' && held?.fail() })
    held = await quickBeforeSlow(spooled)
    scripted.script = () => 'taken'
    await held.slow
    await eventually(() => spooled.figures().records === 0)
    expect([scripted.texts(TOPIC, 0), scripted.texts(TOPIC, 1)]).toEqual([['quick'], ['slow']])
  })

  it('reads no more of a topic in which nothing came from here than what others sent since the last look', async () => {
    const spooled = await open({ measureEveryMs: 5 })
    const others = scripted.log
    for (let n = 0; n < 30; n++) await others.append(Array.from({ length: 100 }, (_, index) => ({ topic: topics.rejected.name, partition: 0, value: Buffer.from(`${n}/${index}`) })))
    const asked = scripted.counts.extents
    await eventually(() => scripted.counts.extents > asked + 2 * allTopics.length)
    scripted.script = () => 'answer-lost'
    await spooled.append([{ topic: topics.rejected.name, partition: 0, value: Buffer.from('ours') }])
    scripted.script = () => 'taken'
    await drained(spooled)
    expect(scripted.counts.reads).toBe(1)
    expect(scripted.texts(topics.rejected.name, 0).filter((text) => text === 'ours')).toHaveLength(1)
  })

  it('takes one found record for one: of two equal ones in doubt, of which the log has one, the other is sent', async () => {
    const spooled = await open()
    let appends = 0
    scripted.script = () => (['answer-lost', 'refused'] as const)[appends++] ?? 'taken'
    await Promise.all([spooled.append([record('same')]), spooled.append([record('same')])])
    await drained(spooled)
    expect(scripted.texts(TOPIC, 0)).toEqual(['same', 'same'])
  })

  it('refuses with LOG_FULL and a time what has no room, keeps nothing of it, and takes the next when there is room again', async () => {
    scripted.away = true
    const spooled = await open({ openMsMax: 10, bytesMax: 1_000 })
    await spooled.append([record('kept'.padEnd(600, '.'))])
    const refused = spooled.append([record('x'), record('refused'.padEnd(600, '.'))])
    await expect(refused).rejects.toMatchObject({ name: 'LogUnavailable', code: 'LOG_FULL', retryAfterSeconds: 10 })
    await spooled.append([record('small')])
    expect(spooled.figures().records).toBe(2)
    await expect(spooled.append([record('y'.repeat(300))])).rejects.toMatchObject({ code: 'LOG_FULL' })
    expect(events()).toEqual(['spool.begun', 'spool.full'])
    scripted.away = false
    await drained(spooled)
    await spooled.append([record('after')])
    expect(scripted.texts(TOPIC, 0)).toEqual(['kept'.padEnd(600, '.'), 'small', 'after'])
  })

  it('is not ready when nothing more has room', async () => {
    scripted.away = true
    const spooled = await open({ openMsMax: 10, bytesMax: 200 })
    await spooled.ready()
    await spooled.append([record('x'.repeat(200 - 4 - JSON.stringify({ topic: TOPIC, partition: 0, key: 'k', at: Date.now(), mayBeFrom: null }).length))])
    await expect(spooled.ready()).rejects.toMatchObject({ name: 'LogUnavailable', code: 'LOG_FULL' })
  })

  it('is not ready either when what comes has no room, although some bytes are left', async () => {
    scripted.away = true
    const spooled = await open({ openMsMax: 10, bytesMax: 1_000 })
    await spooled.append([record('kept'.padEnd(600, '.'))])
    await spooled.ready()
    await expect(spooled.append([record('refused'.padEnd(600, '.'))])).rejects.toMatchObject({ code: 'LOG_FULL' })
    await expect(spooled.ready()).rejects.toMatchObject({ code: 'LOG_FULL' })
    scripted.away = false
    await drained(spooled)
    await spooled.ready()
  })

  it('needs no room while the log takes what comes: then it is as ready as the log', async () => {
    const spooled = await open({ freeBytesMin: NO_ROOM })
    await spooled.append([record('1')])
    await spooled.ready()
    scripted.away = true
    await expect(spooled.ready()).rejects.toMatchObject({ code: 'LOG_BUSY', message: 'nobody answers' })
  })

  it('refuses at once, without room and while the log is away, and says that it is over when the log answers', async () => {
    const spooled = await open({ freeBytesMin: NO_ROOM })
    scripted.away = true
    await expect(spooled.append([record('1')])).rejects.toMatchObject({ code: 'LOG_FULL' })
    const [asked, tried] = [scripted.counts.extents, scripted.counts.appends]
    await eventually(() => scripted.counts.extents > asked + 3 * allTopics.length)
    await expect(spooled.append([record('1')])).rejects.toMatchObject({ code: 'LOG_FULL' })
    expect(scripted.counts.appends).toBe(tried)
    await expect(spooled.ready()).rejects.toMatchObject({ code: 'LOG_FULL' })
    expect(events()).toEqual(['spool.begun', 'spool.full'])
    scripted.away = false
    await drained(spooled)
    await spooled.append([record('1')])
    expect([scripted.texts(TOPIC, 0), events()]).toEqual([['1'], ['spool.begun', 'spool.full', 'spool.drained']])
  })

  it('refuses what no log would take, instead of keeping it', async () => {
    scripted.away = true
    const spooled = await open({ openMsMax: 10 })
    await expect(spooled.append([record('a'), record('b', 99)])).rejects.toThrow('no partition 99')
    expect(spooled.figures().records).toBe(0)
  })

  it('goes straight to the log again although appends never pause', async () => {
    const spooled = await open({ batchBytesMax: 4_000 })
    scripted.away = true
    const traffic = { over: false }
    let n = 0
    const sent: string[] = []
    const sender = async (): Promise<void> => {
      while (!traffic.over) {
        const text = String(n++)
        sent.push(text)
        await spooled.append([record(text)])
      }
    }
    const senders = Promise.all([sender(), sender(), sender(), sender()])
    await eventually(() => spooled.figures().records > 40)
    scripted.away = false
    await drained(spooled)
    traffic.over = true
    await senders
    expect([...scripted.texts(TOPIC, 0)].sort()).toEqual([...sent].sort())
  })

  it('leaves what waits to the next start, says so, and lets nobody else in meanwhile', async () => {
    const first = await open()
    scripted.away = true
    await first.append([record('1')])
    await expect(open()).rejects.toMatchObject({ code: 'DATA_DIR_HELD' })
    await first.close()
    await expect(first.append([record('late')])).rejects.toMatchObject({ code: 'LOG_CLOSED' })
    expect(warnings.at(-1)).toMatchObject({ event: 'spool.left', message: expect.stringContaining('1 records') })
    const second = await open({ openMsMax: 10 })
    expect(second.figures().records).toBe(1)
    await second.append([record('2')])
    scripted.away = false
    await drained(second)
    expect(scripted.texts(TOPIC, 0)).toEqual(['1', '2'])
  })

  it.each(['spool.put.after-commit', 'spool.noted', 'spool.sent', 'spool.removed'])('has all that it acknowledged, once and in order, when it is killed at %s', async (point) => {
    let left = false
    const kill = (at: string): void => {
      if (at !== point || left) return
      left = true
      mkdirSync(join(base, 'left'))
      cpSync(join(base, 'spool/data.mdb'), join(base, 'left/data.mdb'))
      // What is sent later, the killed one did not send.
      successor = scripted.successor()
    }
    let successor = scripted.log
    const spooled = await open({ probe: (at) => at !== 'spool.put.after-commit' && kill(at), batchBytesMax: 300 })
    await spooled.append([record('0')])
    scripted.away = true
    for (let n = 1; n < 10; n++) await spooled.append([record(`${n}`)])
    if (point === 'spool.put.after-commit') kill(point)
    scripted.away = false
    await eventually(() => left)
    const next = await open({ log: successor, dir: join(base, 'left'), batchBytesMax: 300 })
    await next.append([record('10')])
    await drained(next)
    expect(scripted.texts(TOPIC, 0)).toEqual(Array.from({ length: 11 }, (_, n) => `${n}`))
  })
})

eventLogAppendSuite('spooled, over the embedded one', async () => {
  const base = await mkdtemp(join(tmpdir(), 'millrace-spooled-'))
  const openIn = async (dir: string) => {
    const root = await openLmdb(join(dir, 'log'))
    const log = await createSpooledLog({ log: createEmbeddedLog({ root }), dir: join(dir, 'spool'), bytesMax: 1 << 20, clock: createSystemClock() })
    return { log, close: () => log.close().then(root.close) }
  }
  let current = await openIn(join(base, 'a'))
  return {
    log: current.log,
    reopen: async () => {
      await current.close()
      current = await openIn(join(base, 'a'))
      return current.log
    },
    crash: async () => {
      for (const part of ['log', 'spool']) cpSync(join(base, 'a', part, 'data.mdb'), join(base, 'b', part, 'data.mdb'))
      await current.close()
      current = await openIn(join(base, 'b'))
      return current.log
    },
    dispose: async () => {
      await current.close()
      await rm(base, { recursive: true })
    },
  }
})
