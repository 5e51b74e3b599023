import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/millrace.ts'
import { mountSmallDisk } from '../support/small-disk.ts'
import { stackSkipped } from '../support/stack.ts'
import { startIngestAlone, type IngestAlone } from './ingest-alone.ts'
import { outcomeOf } from './ingest-outcome.ts'
import { startSenders } from './ingest-senders.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 7)
/** The spool's floor, and room for some megabytes of spool. */
const DISK_MB = 128
/** Every event so long that the file of the spool grows by megabytes. */
const PADDING_BYTES = 24_000
const SPOOLED_MIN = 200

const skipped = stackSkipped('a full disk under the spool')
const disk = skipped ? null : mountSmallDisk(DISK_MB)

describe.skipIf(disk === null)('ingest with a spool on a disk that becomes full', () => {
  let alone: IngestAlone
  beforeAll(async () => {
    alone = await startIngestAlone({ SPOOL_DIR: join(disk!.folder, 'spool') })
  })
  afterAll(async () => {
    await alone?.stop()
    disk?.remove()
  })

  it('refuses and says why, loses nothing that it answered, and goes on when there is room, also while it drains (P1)', async () => {
    const { ingest, kafka, log, writeKey } = alone
    const running = startSenders(ingest.url, writeKey, { devices: 6, seed: SEED, pauseMs: 5 })
    const answered = (): number => running.requests.filter((request) => request.answered).length
    const more = async (count: () => number, by: number): Promise<void> => {
      const from = count()
      await eventually(async () => count(), (now) => now >= from + by)
    }
    const expectFull = async (): Promise<void> => {
      await more(() => running.counts.refused, 5)
      const { status, log: state } = await eventually(() => readiness(ingest.url), (ready) => ready.status === 503)
      expect([status, state]).toEqual([503, expect.stringMatching(/the disk has \d+ bytes left/)])
      expect((await fetch(`${ingest.url}/healthz`)).status).toBe(200)
      const refused = await fetch(`${ingest.url}/v1/track`, { method: 'POST', body: JSON.stringify({ writeKey, event: 'Refused', anonymousId: 'nobody' }) })
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^[1-9]\d*$/)])
    }
    const spoolSome = async (): Promise<void> => {
      running.padWith(PADDING_BYTES)
      await eventually(ingest.spooledRecords, (records) => records > SPOOLED_MIN)
      running.padWith(0)
    }
    const caughtUp = (): Promise<string> => eventually(ingest.logState, (state) => state === 'ok', 120_000)
    await more(answered, 30)

    await kafka.kill()
    await spoolSome()
    disk!.fill()
    await expectFull()
    disk!.free()
    await more(answered, 30)
    expect((await readiness(ingest.url)).log).toMatch(/^spooling: \d+ records wait/)

    // Kafka is back before the room is.
    disk!.fill()
    await expectFull()
    await kafka.start()
    await eventually(async () => waitsForRoom(ingest.output()), (waits) => waits > 0)
    disk!.free()
    await caughtUp()
    await more(answered, 30)

    // The room goes while the spool drains.
    await kafka.kill()
    await spoolSome()
    await kafka.start()
    const [most, waited] = [await ingest.spooledRecords(), waitsForRoom(ingest.output())]
    await eventually(ingest.spooledRecords, (records) => records < most)
    disk!.fill()
    // It may have come to its end just before.
    await eventually(async () => waitsForRoom(ingest.output()) > waited || (await ingest.spooledRecords()) === 0, Boolean)
    disk!.free()
    await caughtUp()

    // With Kafka there and nothing waiting no room is needed.
    disk!.fill()
    await more(answered, 30)
    await caughtUp()
    expect((await readiness(ingest.url)).status).toBe(200)
    await running.stop()
    expect(await ingest.stop()).toBe(0)

    const outcome = await outcomeOf(log, running.requests)
    expect(outcome).toMatchObject({ lost: [], twice: [], disordered: [] })
    expect(outcome.events).toBeGreaterThan(SPOOLED_MIN)
    process.stdout.write(`full disk under the spool: ${outcome.events} events in the log, ${running.counts.refused} refusals, ${outcome.repeats} repeats of senders: nothing lost, nothing twice\n`)
  })
})

const readiness = async (url: string): Promise<{ readonly status: number; readonly log: string }> => {
  const answer = await fetch(`${url}/readyz`)
  return { status: answer.status, log: ((await answer.json()) as { parts: { log: string } }).parts.log }
}

/** How often the drain said so. */
const waitsForRoom = (lines: string): number => [...lines.matchAll(/"spool\.waits".*the disk has \d+ bytes left/g)].length
