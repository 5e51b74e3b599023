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

export const getSession = (): Promise<Session> => get('/api/session')
export const getSetup = (): Promise<Setup> => get('/api/setup')
export const getLedger = async (): Promise<readonly LedgerRow[]> => bySource((await get<{ rows: readonly LedgerRow[] }>('/api/ledger')).rows)
export const getSegments = async (): Promise<readonly SegmentRow[]> => (await get<{ segments: readonly SegmentRow[] }>('/api/segments')).segments

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
