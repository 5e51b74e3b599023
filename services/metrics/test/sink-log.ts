import { join } from 'node:path'
import { createEmbeddedLog, openLmdb } from '@millrace/adapters'
import { chanceFrom, encodeRecord, topics, type OriginCount, type RecordHeader } from '@millrace/contracts'
import type { NewRecord } from '@millrace/ports'

const RECORDS = 160
const AT = Date.UTC(2024, 5, 1)

export interface Expected {
  events: number
  units: number
  repeats: number
  rejected: number
  flips: number
  numbers: number
  clock: number
}

/** What resolve, identity, segmentation and ingest would have written. */
export const fill = async (dir: string, seed: number): Promise<Expected> => {
  const next = chanceFrom(seed).next
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

/** What the tables hold; the same as `rowsOf` tells of the log. */
export const COUNTS = `SELECT
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

export const rowsOf = (expected: Expected) => {
  const { events, units, repeats, rejected, flips, numbers, clock } = expected
  return { events, units, dayEvents: events, dayUnits: units, distinctEvents: events, repeats, rejected, flips, numbers, clock }
}
