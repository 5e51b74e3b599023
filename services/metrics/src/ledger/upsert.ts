import type { Clock, ColumnStore } from '@millrace/ports'
import { ledgerCountRow, rowBytes, STORE_DATABASE } from '@millrace/warehouse'
import { countPending, countReceived, type LedgerDeps } from './ledger.ts'
import { readPositions, type Positions } from './positions.ts'
import { parseHourKey, type HourKey } from './received.ts'

export interface LedgerUpsertDeps extends LedgerDeps {
  readonly columns: Pick<ColumnStore, 'query' | 'insert'>
  readonly clock: Clock
  readonly onFault: (error: unknown) => void
}

/** Changes are written at most once in this time. */
const EVERY_MS = 1000
/** A write that failed is tried again, also when nothing comes any more. */
const RETRY_MS = 5000

/**
 * Keeps what SQL cannot see, received and pending, in the table behind the analysts' view `ledger`. It works when
 * something changed, writes only rows that differ from the last time, and rests when nothing comes in.
 */
export const createLedgerUpsert = (deps: LedgerUpsertDeps) => {
  let written: ReadonlyMap<HourKey, string> = new Map()
  let cancel: (() => void) | undefined
  let running: Promise<void> = Promise.resolve()
  let stopped = false

  const write = async (): Promise<void> => {
    const positions = await readPositions(deps.log)
    const [received, pending] = await Promise.all([countReceived(deps, positions), countPending(deps.log, positions)])
    const version = progressOf(positions)
    const now = new Map<HourKey, string>()
    for (const key of new Set([...received.keys(), ...pending.keys()])) now.set(key, `${received.get(key) ?? 0}/${pending.get(key) ?? 0}`)
    // A row that was written and is in neither count any more had only pending events; it must not keep them.
    for (const key of written.keys()) if (!now.has(key)) now.set(key, '0/0')
    const rows = [...now].filter(([key, counts]) => written.get(key) !== counts).map(([key, counts]) => {
      const [got, open] = counts.split('/')
      return ledgerCountRow({ ...parseHourKey(key), received: Number(got), pending: Number(open), version })
    })
    if (rows.length > 0)
      await deps.columns.insert({ table: `${STORE_DATABASE}.ledger_counts`, rows: rowBytes(rows), token: tokenOf(positions) })
    written = now
  }
  const flush = (): Promise<void> => {
    cancel?.()
    cancel = undefined
    return (running = running.then(write).catch(retryLater))
  }
  const retryLater = (error: unknown): void => {
    deps.onFault(error)
    if (!stopped) cancel ??= deps.clock.after(RETRY_MS, () => void flush())
  }
  return {
    /** Something was received or stored. */
    changed: (): void => {
      if (stopped) return
      cancel ??= deps.clock.after(EVERY_MS, () => void flush())
    },
    flush,
    stop: async (): Promise<void> => {
      stopped = true
      cancel?.()
      await running
    },
  }
}

/** Grows with every step of any consumer, so a later row replaces an earlier one, also over a restart. */
const progressOf = ({ accepted, resolved, rejected }: Positions): number =>
  [...accepted, ...resolved, ...rejected].reduce((sum, { settled, end }) => sum + settled + end, 0)

const tokenOf = ({ accepted, resolved, rejected }: Positions): string =>
  `ledger:${[...accepted, ...resolved, ...rejected].map(({ settled, end }) => `${settled}-${end}`).join(':')}`
