import { join } from 'node:path'
import { createEmbeddedLog, openLmdb } from '@millrace/adapters'
import { decodeRecord, topics, type FlipLine, type ResolvedLine } from '@millrace/contracts'
import type { EventLog, LogRecord } from '@millrace/ports'
import { groupsBehind } from '@millrace/up'
import { referenceFlips, type ReferenceRecord, type ReferenceSettings } from '@millrace/segments'
import { eventually, type Millrace } from '../support/millrace.ts'

export interface Ledger {
  readonly balanced: boolean
  readonly total: Readonly<Record<'received' | 'stored' | 'rejected' | 'duplicate' | 'erased' | 'pending', number>>
}

/** What both runs must agree on, whatever happened on the way. */
export interface FinalState {
  readonly messageIds: readonly string[]
  readonly rows: number
  readonly ledger: Ledger
  /** Of each event what analysts see of it, in the order of message ids. */
  readonly events: readonly string[]
  readonly identities: readonly unknown[]
  readonly traits: readonly unknown[]
  readonly revenue: readonly unknown[]
  readonly aggregates: readonly unknown[]
  readonly memberships: readonly unknown[]
}

/** What no fault may change. */
export const COMPARED = ['identities', 'traits', 'revenue', 'aggregates', 'memberships'] as const

const SHOWN_MAX = 20

/** Events of which two runs tell otherwise, the first of them; both have the same message ids. */
export const differingEvents = (a: FinalState, b: FinalState): readonly (readonly [string, string | undefined])[] =>
  a.events.flatMap((event, index) => (event === b.events[index] ? [] : [[event, b.events[index]] as const])).slice(0, SHOWN_MAX)

const SETTLE_MS_MAX = 300_000
const LOOKS = 100

const EVENT_COLUMNS = 'message_id, type, event, person_id, user_id, anonymous_id, timestamp, received_at, revenue, currency'

/** @param stillMs for how long nothing may change: longer than any consumer may pause */
export const finalState = async (millrace: Millrace, stillMs = 0): Promise<FinalState> => {
  const ledger = await eventually(() => millrace.api<Ledger>('/api/ledger?from=2000-01-01T00:00:00Z&to=2100-01-01T00:00:00Z'), ({ total }) => total.pending === 0, SETTLE_MS_MAX)
  await eventually(
    () => millrace.api<{ segments: { state: string }[] }>('/api/segments'),
    ({ segments }) => segments.every(({ state }) => state === 'live'),
    SETTLE_MS_MAX,
  )
  await untilStill(millrace, stillMs)
  const ids = await millrace.sql<{ message_id: string; n: number }>('SELECT message_id, count() AS n FROM millrace.events GROUP BY message_id ORDER BY message_id')
  return {
    messageIds: ids.map(({ message_id }) => message_id),
    rows: ids.reduce((sum, { n }) => sum + Number(n), 0),
    ledger,
    events: (await millrace.sql<object>(`SELECT ${EVENT_COLUMNS} FROM millrace.events ORDER BY message_id`)).map((row) => JSON.stringify(row)),
    identities: await millrace.sql('SELECT type, value, person_id FROM millrace.identities ORDER BY type, value'),
    traits: await millrace.sql('SELECT person_id, user_id, arraySort(anonymous_ids) AS anonymous_ids, traits, first_seen, last_seen FROM millrace.people ORDER BY person_id'),
    revenue: await millrace.sql('SELECT person_id, currency, toString(sum(revenue)) AS revenue, count() AS events FROM millrace.events GROUP BY person_id, currency ORDER BY person_id, currency'),
    aggregates: await millrace.sql("SELECT event, toDate(timestamp) AS day, count() AS events, uniqExact(person_id) AS people FROM millrace.events GROUP BY event, day ORDER BY event, day"),
    // A segment whose creation was in doubt may have been made twice: the same rule, the same members.
    memberships: await millrace.sql('SELECT DISTINCT s.name AS name, m.person_id AS person_id FROM millrace.memberships AS m INNER JOIN millrace.segments AS s ON s.segment_id = m.segment_id ORDER BY name, person_id'),
  }
}

/** Timers and snapshots come behind the ledger: the flips and the people stand still over several looks. */
const untilStill = async (millrace: Millrace, stillMs: number): Promise<void> => {
  let last = ''
  let same = 0
  let since = performance.now()
  await eventually(
    () => millrace.sql('SELECT (SELECT count() FROM millrace.flips) AS flips, (SELECT sum(cityHash64(traits, toString(last_seen))) FROM millrace.people) AS people'),
    (rows) => {
      const now = JSON.stringify(rows)
      same = now === last ? same + 1 : 0
      if (same === 0) since = performance.now()
      last = now
      return same >= LOOKS && performance.now() - since >= stillMs
    },
    SETTLE_MS_MAX,
  )
}

/** Opens the log of a stopped Millrace and tells which groups have not read to its end. */
export const consumersBehind = async (dataDir: string): Promise<readonly string[]> => {
  const root = await openLmdb(join(dataDir, 'log'), {})
  const log = createEmbeddedLog({ root })
  try {
    return await groupsBehind(log)
  } finally {
    await log.close()
    await root.close()
  }
}

export interface LoggedFlips {
  readonly told: readonly Comparable[]
  readonly reference: readonly Comparable[]
  /** Groups that have not read to the end, and would make the comparison meaningless. */
  readonly behind: readonly string[]
}
type Comparable = Pick<FlipLine, 'segment' | 'person' | 'flip' | 'number' | 'at'>

/** From the log of a stopped Millrace: the flips that were told, and what the naive reference makes of the same records. */
export const loggedFlips = async (dataDir: string, settings: ReferenceSettings): Promise<LoggedFlips> => {
  const root = await openLmdb(join(dataDir, 'log'), {})
  const log = createEmbeddedLog({ root })
  try {
    return await flipsOf(log, settings)
  } finally {
    await log.close()
    await root.close()
  }
}

/** The same of any log. */
export const flipsOf = async (log: EventLog, settings: ReferenceSettings): Promise<LoggedFlips> => {
  const resolved = await whole(log, topics.resolved.name, topics.resolved.partitions)
  const changed = await whole(log, topics.segmentChanged.name, topics.segmentChanged.partitions)
  const told = changed.flatMap((record) => decodeRecord(record.value).lines().map((line) => JSON.parse(String(line)) as FlipLine))
  return {
    told: comparable(told),
    reference: comparable(referenceFlips(resolved.map(referenceRecord), () => settings, topics.accepted.partitions)),
    behind: await groupsBehind(log),
  }
}

const comparable = (flips: readonly Comparable[]): readonly Comparable[] =>
  flips
    .map(({ segment, person, flip, number, at }) => ({ segment, person, flip, number, at }))
    .sort((a, b) => compare(a.segment, b.segment) || compare(a.person, b.person) || a.number - b.number)

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const referenceRecord = (record: LogRecord): ReferenceRecord => {
  const { header, lines } = decodeRecord(record.value)
  return { partition: record.partition, offset: record.offset, project: header.project, origins: header.origins, lines: lines().map((line) => JSON.parse(String(line)) as ResolvedLine) }
}

const whole = async (log: EventLog, topic: string, partitions: number): Promise<readonly LogRecord[]> => {
  const records: LogRecord[] = []
  for (let partition = 0; partition < partitions; partition++) {
    for (let from = 0; ; ) {
      const page = await log.read(topic, partition, from, { recordsMax: 5_000, bytesMax: 16_000_000 })
      if (page.length === 0) break
      records.push(...page)
      from = page.at(-1)!.offset + 1
    }
  }
  return records
}
