import { getLedger, type LedgerRow } from '../../lib/api.ts'
import { count } from '../../lib/format.ts'
import { usePolled } from '../../lib/poll.ts'
import { useWords, type Words } from '../../lib/words.ts'
import { Card, Empty } from '../../parts/card.tsx'

const EVERY_MS = 3_000
const getWholeLedger = (): Promise<readonly LedgerRow[]> => getLedger()

/** Where every received event is now, by source. */
export const Ledger = () => {
  const text = useWords()
  const { value, failed } = usePolled(getWholeLedger, EVERY_MS)
  const sum = value && sumOf(value)
  return (
    <Card title={text.ledger} hint={text.ledgerHint} aside={sum && <Balance row={sum} />} className="ledger">
      {failed && !value && <Empty>{text.couldNotLoad}</Empty>}
      {value && (
        <div className="scroll" tabIndex={0} role="group" aria-label={text.ledger}>
          <table>
            <thead>
              <tr>
                <th scope="col">{text.source}</th>
                {COLUMNS.map((column) => (
                  <th key={column} scope="col" className="number">{text[column]}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {value.length !== 1 && sum && <Row name={text.allSources} row={sum} strong />}
              {value.map((row) => (
                <Row key={row.source} name={row.source} row={row} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  )
}

const COLUMNS = ['received', 'stored', 'rejected', 'duplicate', 'erased', 'pending'] as const satisfies readonly (keyof Words & keyof LedgerRow)[]

const Row = ({ name, row, strong = false }: { readonly name: string; readonly row: LedgerRow; readonly strong?: boolean }) => (
  <tr className={strong ? 'sum' : ''}>
    <th scope="row">{name}</th>
    {COLUMNS.map((column) => (
      <td key={column} className="number" data-ledger={strong ? column : undefined}>{count(row[column])}</td>
    ))}
  </tr>
)

const Balance = ({ row }: { readonly row: LedgerRow }) => {
  const text = useWords()
  const difference = row.received - row.stored - row.rejected - row.duplicate - row.erased - row.pending
  return difference === 0 ? <span className="badge good">✓ {text.balanced}</span> : <span className="badge bad">{text.notBalanced} {count(difference)}</span>
}

const sumOf = (rows: readonly LedgerRow[]): LedgerRow => {
  const sum = { source: '', received: 0, stored: 0, rejected: 0, duplicate: 0, erased: 0, pending: 0 }
  for (const row of rows) for (const column of COLUMNS) sum[column] += row[column]
  return sum
}
