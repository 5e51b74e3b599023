import { topics } from '@millrace/contracts'
import type { ColumnStore, HotStore } from '@millrace/ports'
import { STORE_DATABASE, unsigned, uuid } from '@millrace/warehouse'
import { z } from 'zod'
import { foldScope, SNAPSHOT, type SnapshotPosition } from '../fold/documents.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'

export interface ListedPerson {
  readonly personId: string
  readonly userId: string | null
  readonly anonymousIds: readonly string[]
  readonly traits: unknown
  readonly firstSeen: string | null
  readonly lastSeen: string | null
}
export interface People {
  readonly people: readonly ListedPerson[]
  readonly next: string | null
  /** Positions of events.resolved up to which the list knows the profiles. */
  readonly freshness: readonly { readonly partition: number; readonly position: number }[]
}

interface Row {
  readonly personId: string
  readonly user: string
  readonly anonymousIds: readonly string[]
  readonly traitsJson: string
  readonly first: number | null
  readonly seen: number
}

const place = z.tuple([z.int(), z.uuid()])

/** A page of the people of a project, seen last first; from the snapshots, so some hundred ms behind the hot copies. */
export const readPeople = async (
  { hot, columns }: { readonly hot: HotStore; readonly columns: ColumnStore },
  project: number,
  { after, limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<People> => {
  const freshness = await snapshotPositions(hot)
  const rows = await columns.query<Row>(peopleSql(project, decodeCursor(place, after), limit + 1))
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    people: page.map(personOf),
    next: rows.length > limit && last ? encodeCursor([Number(last.seen), last.personId]) : null,
    freshness,
  }
}

const SEEN = 'ifNull(toUnixTimestamp64Milli(last_seen), 0)'

const peopleSql = (project: number, before: z.output<typeof place> | null, limit: number): string => `
SELECT toString(person) AS personId, user_id AS user, anonymous_ids AS anonymousIds, traits AS traitsJson,
  toUnixTimestamp64Milli(first_seen) AS first, ${SEEN} AS seen
FROM ${STORE_DATABASE}.profiles FINAL
WHERE project = ${unsigned(project)} AND NOT gone${
  before ? `\n  AND (${SEEN} < ${unsigned(before[0])} OR (${SEEN} = ${unsigned(before[0])} AND person < ${uuid(before[1])}))` : ''}
ORDER BY seen DESC, person DESC
LIMIT ${unsigned(limit)}`

const personOf = (row: Row): ListedPerson => ({
  personId: row.personId,
  userId: row.user === '' ? null : row.user,
  anonymousIds: row.anonymousIds,
  traits: JSON.parse(row.traitsJson),
  firstSeen: row.first === null ? null : new Date(Number(row.first)).toISOString(),
  lastSeen: Number(row.seen) === 0 ? null : new Date(Number(row.seen)).toISOString(),
})

const snapshotPositions = (hot: HotStore): Promise<People['freshness']> =>
  Promise.all(Array.from({ length: topics.resolved.partitions }, async (_, partition) => {
    const [told] = (await hot.get(foldScope(partition), [SNAPSHOT])) as [SnapshotPosition | undefined]
    return { partition, position: told?.position ?? 0 }
  }))
