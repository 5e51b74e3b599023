import { errors, ledgerDifference } from '@millrace/contracts'
import type { ColumnStore } from '@millrace/ports'
import { Counter, Gauge, onScrape, type ScrapeDeps } from '@millrace/service-kit'
import { STORE_DATABASE } from '@millrace/warehouse'
import { readTotals, type LedgerDeps } from './ledger/ledger.ts'
import type { SinkBatch } from './sink/blocks.ts'

export type MetricsCountersDeps = ScrapeDeps & LedgerDeps & { readonly columns: Pick<ColumnStore, 'query'> }

export interface MetricsCounters {
  /** A batch of the sink is committed. */
  stored(batch: SinkBatch): void
}

const FRESHNESS_EVERY_MS = 1_000
/** It counts all rows, and reads the headers of what is pending. */
const LEDGER_EVERY_MS = 30_000
/** Series of one metric; projects that do not balance are told first. */
const PROJECTS_MAX = 1_000

/** What the sink has stored, how old its newest event is, and whether the ledger balances. */
export const createCounters = (deps: MetricsCountersDeps): MetricsCounters => {
  const registers = [deps.registry]
  const storedEvents = new Counter({ name: 'millrace_metrics_stored_events_total', help: 'Events stored by the sink', registers })
  const duplicates = new Counter({ name: 'millrace_metrics_duplicate_events_total', help: 'Repeats that resolve has dropped', registers })
  const rejected = new Counter({ name: 'millrace_metrics_rejected_events_total', help: 'Refused events stored by the sink', labelNames: ['code'], registers })
  askFreshness(deps)
  askLedger(deps)
  return {
    stored: ({ events, repeats, refused }) => {
      storedEvents.inc(events.length)
      duplicates.inc(repeats)
      // Other software may write codes of its own to the log: a series for each would have no bound.
      for (const { code } of refused) rejected.inc({ code: Object.hasOwn(errors, code) ? code : 'other' })
    },
  }
}

const askFreshness = (deps: MetricsCountersDeps): void => {
  const registers = [deps.registry]
  const newest = new Gauge({ name: 'millrace_metrics_newest_stored_timestamp_seconds', help: 'The newest time of receipt that is stored', registers })
  const behind = new Gauge({ name: 'millrace_metrics_freshness_seconds', help: 'How far that lies behind the clock', registers })
  const forget = (): void => {
    newest.remove()
    behind.remove()
  }
  forget()
  onScrape(deps, {
    name: 'freshness',
    everyMs: FRESHNESS_EVERY_MS,
    ask: async () => {
      const [row] = await deps.columns.query<{ at: number | string }>(
        `SELECT toUnixTimestamp64Milli(max(at)) AS at FROM ${STORE_DATABASE}.clock`)
      const at = Number(row?.at ?? 0)
      if (at === 0) return forget()
      newest.set(at / 1000)
      behind.set(Math.max(0, deps.clock.now() - at) / 1000)
    },
    forget,
  })
}

const askLedger = (deps: MetricsCountersDeps): void => {
  const difference = new Gauge({
    name: 'millrace_metrics_ledger_difference', help: 'received - stored - rejected - duplicate - erased - pending of all time; 0 when the ledger balances',
    labelNames: ['project'], registers: [deps.registry],
  })
  onScrape(deps, {
    name: 'ledger',
    everyMs: LEDGER_EVERY_MS,
    ask: async () => {
      const totals = await readTotals(deps)
      const told = [...totals].map(([project, counts]) => ({ project, of: ledgerDifference(counts) })).sort((a, b) => Math.abs(b.of) - Math.abs(a.of))
      difference.reset()
      for (const { project, of } of told.slice(0, PROJECTS_MAX)) difference.set({ project: String(project) }, of)
    },
    forget: () => difference.reset(),
  })
}
