import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settledLedger } from '../support/ledger.ts'
import { eventually, startMillrace, type Millrace } from '../support/millrace.ts'
import { mountSmallDisk } from '../support/small-disk.ts'

const LONG = process.env['MILLRACE_LONG'] === '1'
const DISK_MB = 768
const FILLINGS = LONG ? 5 : 1
const FULL_MS = LONG ? 10_000 : 2_500
const BATCH = 40
const PEOPLE = 200
const LANES = 3

interface Refusal {
  readonly status: number
  readonly code: string
  readonly retryAfter: string | null
}

const disk = mountSmallDisk(DISK_MB)

describe.skipIf(!disk)('a disk that becomes full while events come', () => {
  let millrace: Millrace
  let segment: string
  beforeAll(async () => {
    millrace = await startMillrace({ dataDir: join(disk!.folder, 'data') })
    segment = (await millrace.api<{ id: string }>('/api/segments', { name: 'active', rule: { did: { event: 'Ping', measure: 'count', op: 'gte', value: 1, window: { last: '30d' } } } })).id
    await eventually(() => millrace.api<{ state: string }>(`/api/segments/${segment}`), ({ state }) => state === 'live')
  })
  afterAll(async () => {
    await millrace?.kill()
    disk?.remove()
  })

  it('refuses and does not lose, and goes on when there is room again', async () => {
    const sender = startSender(millrace)
    for (let filling = 0; filling < FILLINGS; filling++) {
      const sentBefore = sender.acknowledged.size
      await eventually(async () => sender.acknowledged.size, (size) => size > sentBefore + 30 * BATCH)
      const refusedBefore = sender.refusals.length
      const full = keepFull()
      await full.atLeast(FULL_MS)
      await eventually(async () => sender.refusals.length, (length) => length > refusedBefore)
      // It lives, and says that it takes nothing.
      expect((await fetch(`${millrace.url}/healthz`)).status).toBe(200)
      await eventually(async () => (await fetch(`${millrace.url}/readyz`)).status, (status) => status === 503)
      await full.stop()
      disk!.free()
      const freedAt = performance.now()
      const acknowledgedThen = sender.acknowledged.size
      await eventually(async () => sender.acknowledged.size, (size) => size > acknowledgedThen)
      console.log(`full disk: filling ${filling + 1}: ${sender.refusals.length - refusedBefore} refusals, taken again ${Math.round(performance.now() - freedAt)} ms after there was room`)
    }
    const { sent, repeated } = await sender.stop()
    await expectAllOnce(sender.acknowledged, sent + repeated)
    for (const refusal of sender.refusals) expect(refusal).toEqual({ status: 503, code: 'LOG_FULL', retryAfter: expect.stringMatching(/^[1-9]\d*$/) })

    const members = () => millrace.sql<{ n: number }>(`SELECT count() AS n FROM memberships WHERE segment_id = '${segment}'`)
    await eventually(members, ([row]) => Number(row!.n) === PEOPLE)
    // Live still: somebody new enters at once.
    expect((await millrace.send([{ type: 'track', messageId: 'late', userId: 'somebody-new', event: 'Ping' }])).status).toBe(200)
    await eventually(members, ([row]) => Number(row!.n) === PEOPLE + 1)

    const ports = { http: Number(new URL(millrace.url).port), clickhouse: Number(new URL(millrace.clickhouseUrl).port) }
    expect(await millrace.stop()).toBe(0)
    millrace = await startMillrace({ dataDir: millrace.dataDir, ports })
    await expectAllOnce(new Set([...sender.acknowledged, 'late']), sent + repeated + 1)
    console.log(`full disk: ${sent} events acknowledged over ${FILLINGS} fillings and a restart, each stored once; ${sender.refusals.length} refusals, all 503 LOG_FULL`)
  })

  const expectAllOnce = async (ids: ReadonlySet<string>, receivedMin: number): Promise<void> => {
    const total = await settledLedger(millrace, receivedMin)
    const rows = await millrace.sql<{ message_id: string }>('SELECT message_id FROM events ORDER BY message_id')
    expect(rows.map(({ message_id }) => message_id)).toEqual([...ids].sort())
    expect(total).toMatchObject({ stored: ids.size, rejected: 0, duplicate: total.received - ids.size })
  }
})

/** Also what is given back meanwhile is taken at once, so that nothing can creep on. */
const keepFull = () => {
  const stopping = new AbortController()
  const filling = (async () => {
    while (!stopping.signal.aborted) {
      disk!.fill()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  return {
    atLeast: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
    stop: () => {
      stopping.abort()
      return filling
    },
  }
}

/** SDK-like clients: each batch again until it is acknowledged, every tenth one once more although it was. */
const startSender = (millrace: Millrace) => {
  const acknowledged = new Set<string>()
  const refusals: Refusal[] = []
  const state = { stopped: false, repeated: 0 }
  const deliver = async (batch: readonly { messageId: string }[]): Promise<void> => {
    for (;;) {
      const answer = await millrace.send(batch)
      const text = await answer.text()
      if (answer.ok) return void batch.forEach(({ messageId }) => acknowledged.add(messageId))
      refusals.push({ status: answer.status, code: (JSON.parse(text) as { code: string }).code, retryAfter: answer.headers.get('retry-after') })
      // Impatient, so that many requests meet the full disk.
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const lane = async (number: number): Promise<void> => {
    for (let index = 0; !state.stopped; index++) {
      const batch = Array.from({ length: BATCH }, (_, at) => eventOf(number, index * BATCH + at))
      await deliver(batch)
      if (index % 10 === 9) {
        await deliver(batch)
        state.repeated += BATCH
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const sending = Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)))
  return {
    acknowledged,
    refusals,
    stop: async () => {
      state.stopped = true
      await sending
      return { sent: acknowledged.size, repeated: state.repeated }
    },
  }
}

const eventOf = (lane: number, index: number) => ({ type: 'track', messageId: `m-${lane}-${String(index).padStart(8, '0')}`, userId: `u-${index % PEOPLE}`, event: 'Ping', properties: { index, text: 'x'.repeat(300) } })
