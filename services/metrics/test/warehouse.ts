import { createZone } from '@millrace/contracts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChdbStore } from '@millrace/adapters'
import type { CanonicalEvent } from '@millrace/contracts'
import type { ColumnStore } from '@millrace/ports'
import { eventRow, migrate, numberRow, reloadNumbers, rowBytes } from '@millrace/warehouse'

export interface Store {
  readonly columns: ColumnStore
  readonly close: () => Promise<void>
}

/** A warehouse of its own in a temporary folder. */
export const openWarehouse = async (): Promise<Store> => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-metrics-'))
  const columns = createChdbStore({ path })
  await migrate(columns)
  return {
    columns,
    close: async () => {
      await columns.close()
      rmSync(path, { recursive: true, force: true })
    },
  }
}

export interface Written {
  readonly user: number
  readonly event: string
  readonly at: number
  readonly type?: CanonicalEvent['type']
  readonly properties?: Readonly<Record<string, unknown>>
  readonly revenue?: string
  readonly currency?: string
  readonly receivedAt?: number
  /** Filed under nobody. */
  readonly nobody?: boolean
}

const canonical = (project: number, id: number, written: Written): CanonicalEvent => ({
  project,
  messageId: `m${id}`,
  type: written.type ?? 'track',
  event: written.event,
  userId: written.nobody ? null : `u${written.user}`,
  anonymousId: null,
  previousId: null,
  groupId: null,
  timestamp: written.at,
  originalTimestamp: null,
  sentAt: null,
  receivedAt: written.receivedAt ?? written.at,
  source: 'web',
  protocol: 'segment',
  sessionId: '',
  channel: '',
  properties: written.properties ?? {},
  // An identify has its values in its traits, which is what its row holds.
  traits: written.properties ?? {},
  traitOps: null,
  context: {},
  revenue: written.revenue ?? null,
  currency: written.currency ?? 'USD',
})

let inserted = 0

/** Rows of `events`, each under the number of its user (`user` itself). */
export const insertEvents = async (columns: ColumnStore, project: number, zone: string, events: readonly Written[]): Promise<void> => {
  const dayOf = createZone(zone).day
  const rows = events.map((event, index) =>
    eventRow(
      canonical(project, inserted * 1_000_000 + index, event),
      { key: event.nobody ? `none:${event.user % 64}` : `user_id:u${event.user}`, number: event.user, place: [0, inserted, index] },
      dayOf,
    ),
  )
  await columns.insert({ table: 'millrace_store.events', rows: rowBytes(rows), token: `t${inserted++}` })
}

/** Puts numbers under the person of another number. */
export const mergeNumbers = async (
  columns: ColumnStore,
  project: number,
  merges: readonly (readonly [number: number, personNumber: number])[],
  version: number,
): Promise<void> => {
  const rows = merges.map(([number, personNumber]) =>
    numberRow(project, {
      type: 'number.mapped',
      number,
      key: `user_id:u${number}`,
      person: `00000000-0000-4000-8000-${String(personNumber).padStart(12, '0')}`,
      personNumber,
      linkedAt: 0,
      version,
    }),
  )
  await columns.insert({ table: 'millrace_store.numbers', rows: rowBytes(rows), token: `n${inserted++}` })
  await reloadNumbers(columns, 'delta')
}

export const insertClock = (columns: ColumnStore, at: number): Promise<void> =>
  columns.insert({
    table: 'millrace_store.clock',
    rows: Buffer.from(`${JSON.stringify({ partition: 0, at: new Date(at).toISOString().replace('T', ' ').slice(0, 23) })}\n`),
    token: `c${inserted++}`,
  })
