import { createZone, encodeRecord, topics } from '@millrace/contracts'
import type { HotStore, LogRecord } from '@millrace/ports'
import { openFold } from '../src/fold/open-fold.ts'
import type { ProfileDocument } from '../src/fold/documents.ts'
import { rowOf } from '../src/snapshots/rows.ts'
import { eventLine, personOf, PROJECT, settings, T } from './fold-world.ts'

export interface FoldMeasured {
  /** CPU time, unpacking and parsing included, without log and disk. */
  readonly microsPerEvent: number
  readonly microsPerSnapshotRow: number
  readonly documentEvents: number
  readonly documentBytes: number
}

/** CPU time of fold for an event, and of one row of the table of profiles. */
export const measureFold = async (events: number): Promise<FoldMeasured> => {
  const [persons, perRecord, perBatch] = [2_000, 100, 10]
  const people = Array.from({ length: persons }, (_, n) => personOf(`c${n}`))
  const origin = { source: 'web', protocol: 'segment', receivedAt: T + 86_400_000, sentAt: null, events: perRecord, repeats: 0 }
  const names = ['Product Viewed', 'Product Added', 'Order Completed', 'Page Viewed']
  const records: LogRecord[] = Array.from({ length: events / perRecord }, (_, offset) => ({
    topic: topics.resolved.name, partition: 0, offset,
    value: encodeRecord({ kind: 'resolved', project: PROJECT, count: perRecord, origins: [origin] }, Array.from({ length: perRecord }, (_, at) => {
      const n = offset * perRecord + at
      const number = (n * 7919) % persons
      return JSON.stringify(eventLine({
        number, epoch: 0, person: people[number]!, messageId: `message-${n}`, at: T + n * 500, name: names[n % names.length]!,
        body: {
          anonymousId: `device-${number}`, properties: { order_id: `o${n}`, revenue: 12.5, product_id: `p${n % 50}`, price: 3, category: 'Tea' },
          context: { page: { url: 'https://shop.example/tea', referrer: 'https://search.example/' }, library: { name: 'analytics.js' }, userAgent: 'Mozilla/5.0 (X11; Linux x86_64)' },
        },
      }))
    })),
  }))
  let watermark: number | null = null
  const hot = { watermark: async () => watermark, get: async (_: string, keys: readonly string[]) => keys.map(() => undefined) } as unknown as HotStore
  const changed: ProfileDocument[] = []
  const consumer = await openFold({
    hot,
    settingsOf: async () => settings,
    openSnapshots: async () => ({ changed: (documents) => void changed.splice(0, changed.length, ...documents.values()), room: async () => {}, close: async () => {} }),
  }, { cacheBytesMax: 256 << 20 })({ topic: topics.resolved.name, partition: 0, committed: { offset: 0, metadata: '' }, declare: async () => {} })
  let spent = 0
  for (let from = 0; from < records.length; from += perBatch) {
    const part = records.slice(from, from + perBatch)
    const batch = { records: part, end: from + part.length, replayed: false, caughtUp: false }
    const before = process.cpuUsage()
    await consumer.handle(batch)
    watermark = batch.end
    consumer.stored!(batch)
    // The first tenth warms up.
    if (from >= records.length / 10) spent += process.cpuUsage(before).user
  }
  const zone = createZone('Asia/Shanghai')
  const rowsFrom = process.cpuUsage()
  for (const document of changed) rowOf({ key: `person/${PROJECT}/${personOf('c')}`, version: 1, document }, zone)
  const perRow = process.cpuUsage(rowsFrom).user / changed.length
  return {
    microsPerEvent: spent / (events * 0.9),
    microsPerSnapshotRow: perRow,
    documentEvents: Object.values(changed[0]!.slots)[0]!.state.events,
    documentBytes: JSON.stringify(changed[0]).length,
  }
}
