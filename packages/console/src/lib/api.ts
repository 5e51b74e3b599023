import type { LedgerCounts } from '@millrace/contracts'

/** The API that this page is served beside; the sign-in cookie goes with each call. */
export interface Session {
  readonly role: 'admin' | 'analyst'
  readonly project: { readonly id: number; readonly name: string; readonly zone: string; readonly currency: string }
}
export interface Setup {
  readonly writeKey: string | null
}
export interface LedgerRow extends LedgerCounts {
  readonly source: string
}
export interface SegmentRow {
  readonly id: string
  readonly name: string
  /** null while it is being filled. */
  readonly size: number | null
}

export interface WriteKeyRow {
  readonly id: string
  readonly createdAt: string | null
  readonly expiresAt: string | null
  readonly revokedAt: string | null
}
export interface SourceSettings {
  readonly allowedOrigins: readonly string[]
  readonly eventsPerSecondMax: number | null
  readonly server: boolean
}
export interface SourceRow extends SourceSettings {
  readonly name: string
  readonly keys: readonly WriteKeyRow[]
}
/** The key is told in this answer and nowhere again. */
export interface NewKey {
  readonly name: string
  readonly writeKey: string
}
export interface Activity {
  readonly accepted: readonly { readonly receivedAt: string; readonly type: string; readonly event: string; readonly userId: string | null; readonly anonymousId: string | null; readonly requestId: string | null; readonly messageId: string }[]
  readonly rejected: readonly { readonly receivedAt: string; readonly code: string; readonly detail: string; readonly requestId: string | null; readonly messageId: string | null }[]
}

export const getSession = (): Promise<Session> => get('/api/session')
export const getSetup = (): Promise<Setup> => get('/api/setup')
export const getLedger = async (from?: string): Promise<readonly LedgerRow[]> =>
  bySource((await get<{ rows: readonly LedgerRow[] }>(from === undefined ? '/api/ledger' : `/api/ledger?from=${from}`)).rows)
export const getSegments = async (): Promise<readonly SegmentRow[]> => (await get<{ segments: readonly SegmentRow[] }>('/api/segments')).segments

export const getSources = async (): Promise<readonly SourceRow[]> => (await get<{ sources: readonly SourceRow[] }>('/api/sources')).sources
export const getActivity = (name: string): Promise<Activity> => get(`/api/sources/${encodeURIComponent(name)}/activity`)
export const addSource = (source: SourceSettings & { readonly name: string }): Promise<NewKey> => send('POST', '/api/sources', source)
export const changeSource = (name: string, change: SourceSettings): Promise<unknown> => send('PATCH', `/api/sources/${encodeURIComponent(name)}`, change)
export const rotateKey = (name: string, graceMs: number): Promise<NewKey> => send('POST', `/api/sources/${encodeURIComponent(name)}/rotate`, { graceMs })
export const revokeKey = (name: string, id: string): Promise<unknown> => send('DELETE', `/api/sources/${encodeURIComponent(name)}/keys/${id}`)

/** @throws Error with the server's own words when it refuses */
const send = async <T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T> => {
  const content = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(path, { method, ...content })
  const text = await response.text()
  const answer: unknown = text === '' ? null : JSON.parse(text)
  if (!response.ok) throw new Error((answer as { detail?: string } | null)?.detail ?? `${path} answered ${response.status}`)
  return answer as T
}

const get = async <T>(path: string): Promise<T> => {
  const response = await fetch(path, { headers: { accept: 'application/json' } })
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return (await response.json()) as T
}

/** The ledger has a row for each hour; the page shows each source whole, the busiest first. */
const bySource = (rows: readonly LedgerRow[]): readonly LedgerRow[] => {
  const sums = new Map<string, Record<(typeof COLUMNS)[number], number>>()
  for (const row of rows) {
    const sum = sums.get(row.source) ?? { received: 0, stored: 0, rejected: 0, duplicate: 0, erased: 0, pending: 0 }
    for (const column of COLUMNS) sum[column] += Number(row[column])
    sums.set(row.source, sum)
  }
  return [...sums].map(([source, sum]) => ({ source, ...sum })).sort((a, b) => b.received - a.received)
}

const COLUMNS = ['received', 'stored', 'rejected', 'duplicate', 'erased', 'pending'] as const
