import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chanceFrom, topics } from '@millrace/contracts'
import type { EventLog, SpooledLog } from '@millrace/ports'
import { eventually } from '@millrace/ports/suites'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { createSystemClock } from '../../clock/system.ts'
import { createSpooledLog } from './index.ts'
import { createScriptedLog, type Outcome } from './scripted-log.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 6)
const RUNS = Number(process.env['MILLRACE_RUNS'] ?? 12)
const TOPIC = topics.accepted.name
const SENDERS = 5
const EVENTS = 16
const POINTS = ['spool.put.before-commit', 'spool.put.after-commit', 'spool.noted', 'spool.sent', 'spool.removed']
const KILLS_MAX = 3

interface Life {
  readonly spooled: Promise<SpooledLog>
  /** Rejects when it is killed. */
  readonly died: Promise<never>
}

/** What a kill leaves. A commit may be under way in its thread, and a file that is read meanwhile is of no moment. */
const atOneMoment = (path: string): Buffer => {
  for (let before = readFileSync(path); ; ) {
    const after = readFileSync(path)
    if (after.equals(before)) return after
    before = after
  }
}

/** Senders that each send the next only behind the answer, a log that fails in every way, and kills at every point. */
const run = async (base: string, seed: number) => {
  const chance = chanceFrom(seed)
  const scripted = createScriptedLog()
  const repeated = new Set<string>()
  const answered: string[] = []
  let over = false
  scripted.script = () => (over || chance.happens(0.6) ? 'taken' : chance.pick<Outcome>(['answer-lost', 'refused', 'arrives-later']))

  const begin = (log: EventLog, number: number): Life => {
    const dir = join(base, String(number))
    let die = (): void => {}
    const died = new Promise<never>((_, reject) => { die = () => reject(new Error('killed')) })
    died.catch(() => {})
    let living = true
    const probe = (at: string): void => {
      if (over || !living || lives.length > KILLS_MAX || !POINTS.includes(at) || !chance.happens(0.03)) return
      living = false
      die()
      mkdirSync(join(base, String(number + 1)))
      writeFileSync(join(base, String(number + 1), 'data.mdb'), atOneMoment(join(dir, 'data.mdb')))
      begin(scripted.successor(), number + 1)
    }
    const spooled = createSpooledLog({
      log, dir, bytesMax: 2_000, clock: createSystemClock(), freeBytesMin: 0, backOff: { firstMs: 1, mostMs: 5 }, settleMs: 2, openMsMax: 20, batchBytesMax: 400, measureEveryMs: 3, probe,
    })
    const life = { spooled, died }
    lives.push(life)
    return life
  }
  const lives: Life[] = []
  begin(scripted.log, 0)

  const send = async (text: string, partition: number): Promise<void> => {
    for (let tries = 0; ; tries++) {
      const { spooled, died } = lives.at(-1)!
      if (tries > 0) repeated.add(text)
      try {
        await Promise.race([died, spooled.then((log) => log.append([{ topic: TOPIC, partition, value: Buffer.from(text) }]))])
        answered.push(text)
        return
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    }
  }
  const flicker = setInterval(() => { scripted.away = !over && chance.happens(0.4) }, 7)
  await Promise.all(Array.from({ length: SENDERS }, async (_, sender) => {
    for (let n = 0; n < EVENTS; n++) await send(`${sender}:${n}`, sender % 2)
  }))
  over = true
  clearInterval(flicker)
  scripted.away = false
  const last = await lives.at(-1)!.spooled
  await eventually(() => !last.figures().spooling)
  const texts = [0, 1].flatMap((partition) => scripted.texts(TOPIC, partition))
  for (const { spooled } of lives) await (await spooled).close()
  return { texts, answered, repeated, kills: lives.length - 1 }
}

it('loses nothing that it acknowledged, brings nothing twice that was sent once, and keeps the order of each sender, whatever fails and whenever it is killed', async () => {
  let all = 0
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 1e6 }), async (seed) => {
      const base = await mkdtemp(join(tmpdir(), 'millrace-spool-property-'))
      try {
        const { texts, answered, repeated, kills } = await run(base, seed)
        all += kills
        expect(answered.filter((text) => !texts.includes(text))).toEqual([])
        const twice = texts.filter((text, index) => texts.indexOf(text) !== index)
        expect(twice.filter((text) => !repeated.has(text))).toEqual([])
        for (let sender = 0; sender < SENDERS; sender++) {
          const numbers = [...new Set(texts.filter((text) => text.startsWith(`${sender}:`)))].map((text) => Number(text.split(':')[1]))
          expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
        }
      } finally {
        await rm(base, { recursive: true, force: true })
      }
    }),
    { seed: SEED, numRuns: RUNS },
  )
  expect(all).toBeGreaterThan(0)
})
