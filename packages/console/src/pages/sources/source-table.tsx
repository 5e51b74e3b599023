import type { SourceRow } from '../../lib/api.ts'
import { count } from '../../lib/format.ts'
import { useWords, type Words } from '../../lib/words.ts'

const COLUMNS = ['received', 'stored', 'rejected', 'duplicate', 'pending'] as const satisfies readonly (keyof Words)[]
export type SourceCounts = Readonly<Record<(typeof COLUMNS)[number], number>>

/** All sources with what came from them. */
export const SourceTable = ({ rows, chosen, onChoose }: {
  readonly rows: readonly (SourceRow & SourceCounts)[]
  readonly chosen: string | null
  readonly onChoose: (name: string) => void
}) => {
  const text = useWords()
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label={text.sources}>
      <table>
        <thead>
          <tr>
            <th scope="col">{text.source}</th>
            {COLUMNS.map((column) => (
              <th key={column} scope="col" className="number">{text[column]}</th>
            ))}
            <th scope="col" className="number">{text.limit}</th>
            <th scope="col">{text.allowedOrigins}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name} data-source={row.name}>
              <th scope="row">
                <button type="button" className="link" aria-pressed={row.name === chosen} onClick={() => onChoose(row.name)}>{row.name}</button>
              </th>
              {COLUMNS.map((column) => (
                <td key={column} className="number">{count(row[column])}</td>
              ))}
              <td className="number">{row.eventsPerSecondMax === null ? text.noLimit : count(row.eventsPerSecondMax)}</td>
              <td>{row.allowedOrigins.join(', ') || text.anyOrigin}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
