import { type LedgerCounts, ledgerDifference } from '@millrace/contracts'
import { askApi } from './ask.ts'
import { needApiKey, PLACE_HELP, placeOf, readFlags } from './place.ts'
import { table } from './table.ts'
import { type Verb, WrongUsage } from './usage.ts'

/** The answer of /api/ledger, as far as it is read here. */
export interface LedgerAnswer {
  readonly balanced: boolean
  readonly total: LedgerCounts
  readonly rows: readonly (LedgerCounts & { readonly source: string; readonly hour: string; readonly balanced: boolean })[]
}

const HELP = `Usage: npm run ops -- ledger [options]

What was received and what became of it, by source and hour of receipt:
received = stored + rejected + duplicate + erased + pending; \`difference\` is what is missing, and must be 0.
Exit code 1 when it is not 0 somewhere. The ledger is of the key's own project.

${PLACE_HELP}  --from TIME        hours from this ISO time on
  --to TIME          hours before this one
  --json             the answer as JSON, with \`difference\` in each row
`

export const ledger: Verb = {
  help: HELP,
  run: async (args, terminal) => {
    const flags = readFlags(args, { from: { type: 'string' }, to: { type: 'string' }, json: { type: 'boolean' } })
    const place = await placeOf(flags, terminal.env)
    const query = new URLSearchParams()
    for (const name of ['from', 'to'] as const) if (flags[name] !== undefined) query.set(name, new Date(timeOf(`--${name}`, flags[name])).toISOString())
    const answer = await askApi<LedgerAnswer>(place.url, `/api/ledger?${query}`, needApiKey(place))
    terminal.out(flags.json ? JSON.stringify(withDifference(answer)) : ledgerText(answer))
    return answer.balanced ? 0 : 1
  },
}

/** Milliseconds. @throws WrongUsage */
export const timeOf = (flag: string, text: string): number => {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw new WrongUsage(`${flag} ${text}: must be an ISO time such as 2026-03-01T00:00:00Z`)
  return ms
}

const withDifference = (answer: LedgerAnswer) => ({
  ...answer,
  difference: ledgerDifference(answer.total),
  rows: answer.rows.map((row) => ({ ...row, difference: ledgerDifference(row) })),
})

/** The table, its sum, and one sentence. */
const ledgerText = ({ balanced, total, rows }: LedgerAnswer): string => {
  const cells = (counts: LedgerCounts): readonly number[] =>
    [counts.received, counts.stored, counts.rejected, counts.duplicate, counts.erased, counts.pending, ledgerDifference(counts)]
  const head = ['source', 'hour', 'received', 'stored', 'rejected', 'duplicate', 'erased', 'pending', 'difference']
  const shown = [...rows.map((row) => [row.source, row.hour.slice(0, 13).replace('T', ' '), ...cells(row)]), ['all', '', ...cells(total)]]
  // A loss in one hour and a surplus in another give a sum of 0.
  const wrong = rows.filter((row) => ledgerDifference(row) !== 0).length
  return `${table(head, shown)}\n${balanced ? 'The ledger balances.' : `The ledger does not balance in ${wrong} rows.`}`
}
