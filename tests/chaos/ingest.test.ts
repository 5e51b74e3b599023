import { setTimeout as pause } from 'node:timers/promises'
import { chanceFrom } from '@millrace/contracts'
import { createTempFolder, type TempFolder } from '@millrace/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/millrace.ts'
import { stackSkipped } from '../support/stack.ts'
import { startIngestAlone, type IngestAlone } from './ingest-alone.ts'
import type { IngestProcess } from './ingest-process.ts'
import { outcomeOf } from './ingest-outcome.ts'
import { startSenders } from './ingest-senders.ts'

const LONG = process.env['MILLRACE_LONG'] === '1'
const SEED = Number(process.env['MILLRACE_SEED'] ?? 7)
const SKIPPED = stackSkipped('ingest while Kafka is away')
/** The least that the setting takes: the bound is met within a second. */
const SPOOL_BYTES_MAX = 1 << 20
const AWAY_MS = LONG ? 60_000 : 1_500
/** Longer than an append may take, so that what is under way is in doubt. */
const FROZEN_MS = 3_200
const ROUNDS = LONG ? 10 : 1
const PADDING_BYTES = 24_000

describe.skipIf(SKIPPED)('ingest with a spool, under every fault of its Kafka and of itself', () => {
  let folder: TempFolder
  let alone: IngestAlone
  beforeAll(async () => {
    folder = await createTempFolder('ingest-chaos')
    alone = await startIngestAlone({ SPOOL_DIR: folder.at('spool'), SPOOL_BYTES_MAX: String(SPOOL_BYTES_MAX) })
  })
  afterAll(async () => {
    await alone?.stop()
    await folder?.remove()
  })

  it('loses nothing that it answered, brings nothing twice that was sent once, and keeps the order of each device (P1)', { timeout: LONG ? 3_600_000 : 600_000 }, async () => {
    const startedAt = performance.now()
    const { ingest, kafka, log, writeKey } = alone
    const chance = chanceFrom(SEED)
    const running = startSenders(ingest.url, writeKey, { devices: 12, seed: SEED, pauseMs: 10 })
    const watch = watchSpool(ingest)
    const counts = { kills: 0, away: 0, frozen: 0 }
    const sent = (more: number): Promise<unknown> => {
      const from = running.requests.length
      return eventually(async () => running.requests.length, (now) => now >= from + more)
    }
    const caughtUp = (): Promise<unknown> => eventually(ingest.logState, (state) => state === 'ok', 120_000)
    const restart = async (): Promise<void> => {
      await ingest.kill()
      counts.kills++
      await ingest.start()
    }
    /** Away under load, ingest killed with what it holds and started again meanwhile, until its bound is met. */
    const away = async (ms: number): Promise<void> => {
      await kafka.kill()
      counts.away++
      await eventually(ingest.spooledRecords, (records) => records > 20)
      expect(await ingest.logState()).toMatch(/^spooling: \d+ records wait/)
      await restart()
      await sent(50)
      const refused = running.counts.refused
      running.padWith(PADDING_BYTES)
      await eventually(async () => running.counts.refused, (now) => now > refused + 5)
      await pause(ms)
      running.padWith(0)
      await kafka.start()
      await caughtUp()
    }
    /** What is under way is in doubt: the frozen broker has taken it in, and answers too late or nobody. */
    const freeze = async (ms: number, kill: boolean): Promise<void> => {
      const pid = kafka.processId()!
      process.kill(pid, 'SIGSTOP')
      counts.frozen++
      await pause(ms)
      if (kill) await restart()
      process.kill(pid, 'SIGCONT')
      await caughtUp()
    }

    await sent(100)
    for (let round = 0; round < ROUNDS; round++) {
      await freeze(FROZEN_MS + chance.below(LONG ? 10_000 : 100), false)
      await sent(50)
      await away(round === 0 ? AWAY_MS : chance.below(10_000))
      await sent(50)
      await freeze(FROZEN_MS, true)
      if (LONG) await restart()
      await sent(50)
    }
    await running.stop()
    await caughtUp()
    watch.stop()
    expect(await ingest.stop()).toBe(0)
    const outcome = await outcomeOf(log, running.requests)
    const { events, inDoubt, found } = ingest.told()
    const all = running.requests.reduce((sum, { from, to }) => sum + to - from, 0)
    process.stdout.write(
      `ingest chaos: seed ${SEED}, ${Math.round((performance.now() - startedAt) / 1000)} s, ${all} events sent and answered in ${running.requests.length} requests, ${running.counts.refused} refused, ${running.counts.unanswered} without an answer; ` +
      `spooled at most ${watch.most()} records; ${inDoubt} records in doubt, ${found} of them in the log; ${outcome.repeats} repeats of senders; ${counts.kills} kills of ingest, Kafka away ${counts.away} times and frozen ${counts.frozen} times\n`,
    )
    expect(outcome.lost).toEqual([])
    expect(outcome.twice).toEqual([])
    expect(outcome.disordered).toEqual([])
    expect(outcome.events).toBeGreaterThanOrEqual(all)
    expect(inDoubt).toBeGreaterThan(0)
    expect(found).toBeGreaterThan(0)
    for (const event of ['spool.begun', 'spool.drained', 'spool.full']) expect(events.get(event) ?? 0, event).toBeGreaterThan(0)
  })
})

/** The most that was ever seen in the spool. */
const watchSpool = (ingest: IngestProcess) => {
  let most = 0
  const look = async (): Promise<void> => {
    most = Math.max(most, await ingest.spooledRecords().catch(() => 0))
  }
  const timer = setInterval(() => void look(), 100)
  return { most: () => most, stop: () => clearInterval(timer) }
}
