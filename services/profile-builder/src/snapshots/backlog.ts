import { topics } from '@millrace/contracts'
import type { EventLog, HotStore } from '@millrace/ports'
import { foldScope, personKey, PERSONS, type ProfileDocument } from '../fold/documents.ts'
import { personOf, readRecord } from '../fold/lines.ts'
import { type Change, changeOf, type Portion } from './change.ts'

export interface SourceDeps {
  readonly hot: HotStore
  readonly log: EventLog
}

export interface Backlog {
  /** What comes behind `from`, or null when nothing is left below the watermark. */
  next(from: number): Promise<Portion | null>
}

const READ = { recordsMax: 1000, bytesMax: 4 << 20 }
const SCAN_MAX = 500

/**
 * Who changed between `from` and the watermark, in portions: found again by reading the log. The documents are those
 * of now: a later one may come early, and comes again. Where the log begins later than that, everybody is written.
 */
export const openBacklog = async ({ hot, log }: SourceDeps, partition: number, from: number, watermark: number): Promise<Backlog> => {
  const scope = foldScope(partition)
  const extent = (await log.extents(topics.resolved.name)).find((one) => one.partition === partition)
  let scanAfter: string | null = from < Math.min(extent?.first ?? 0, watermark) ? PERSONS : null

  const scan = async (at: number): Promise<Portion> => {
    const entries = await hot.scan(scope, { prefix: PERSONS, after: scanAfter!, limit: SCAN_MAX })
    scanAfter = entries.length < SCAN_MAX ? null : entries.at(-1)!.key
    const changes = entries.map(({ key, document }) => changeOf(key, document as ProfileDocument))
    return { changes, position: scanAfter === null ? watermark : at }
  }
  const read = async (at: number): Promise<Portion> => {
    const records = (await log.read(topics.resolved.name, partition, at, READ)).filter(({ offset }) => offset < watermark)
    const touched = new Map<string, number>()
    for (const record of records) {
      const { header, lines, offset } = readRecord(record)
      for (const line of lines) touched.set(personKey(header.project, personOf(line)), offset + 1)
    }
    const last = records.at(-1)
    return { changes: await changesOf(hot, scope, touched), position: last ? last.offset + 1 : watermark }
  }
  return { next: async (at) => (at >= watermark ? null : scanAfter !== null ? scan(at) : read(at)) }
}

const changesOf = async (hot: HotStore, scope: string, touched: ReadonlyMap<string, number>): Promise<readonly Change[]> => {
  const keys = [...touched.keys()]
  const documents = keys.length > 0 ? await hot.get(scope, keys) : []
  return keys.map((key, at) => {
    const document = documents[at] as ProfileDocument | undefined
    return document ? changeOf(key, document) : { key, version: touched.get(key)!, document: null }
  })
}
