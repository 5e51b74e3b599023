import { useCallback, useState } from 'react'
import { getLedger, getSources, type NewKey, type SourceRow } from '../../lib/api.ts'
import { usePolled } from '../../lib/poll.ts'
import { useWords } from '../../lib/words.ts'
import { Card, Empty } from '../../parts/card.tsx'
import { KeyShownOnce } from './key-shown-once.tsx'
import { NewSource } from './new-source.tsx'
import { Samples } from './samples.tsx'
import { SourceDetail } from './source-detail.tsx'
import { SourceTable, type SourceCounts } from './source-table.tsx'

const EVERY_MS = 5_000
const HOUR_MS = 3_600_000

/** Who may send: sources with their settings, keys and what came from them. */
export const Sources = () => {
  const text = useWords()
  const { rows, failed, askAgain } = useSources()
  const [chosen, choose] = useState<string | null>(null)
  const [key, setKey] = useState<NewKey | null>(null)
  const source = rows?.find(({ name }) => name === chosen)
  const made = (fresh: NewKey): void => {
    setKey(fresh)
    choose(fresh.name)
    askAgain()
  }
  return (
    <main>
      <div className="title-line">
        <h1>{text.sources}</h1>
      </div>
      {key && <KeyShownOnce fresh={key} onClose={() => setKey(null)} />}
      <div className="columns">
        <div className="column">
          <Card title={text.sources} hint={text.sourcesHint}>
            {failed && !rows && <Empty>{text.couldNotLoad}</Empty>}
            {rows && <SourceTable rows={rows} chosen={chosen} onChoose={choose} />}
          </Card>
          {source && <Samples key={source.name} name={source.name} />}
        </div>
        <div className="column">
          {source && <SourceDetail key={source.name} source={source} onKey={made} onChanged={askAgain} />}
          <NewSource onMade={made} />
        </div>
      </div>
    </main>
  )
}

const useSources = () => {
  const [asked, setAsked] = useState(0)
  // A new function each time something was changed: it is asked at once.
  const load = useCallback(() => loadRows(), [asked])
  const { value, failed } = usePolled(load, EVERY_MS)
  return { rows: value, failed, askAgain: () => setAsked((before) => before + 1) }
}

/** Sources beside the ledger of the last 24 hours, the present one included, as their activity counts them. */
const loadRows = async (): Promise<readonly (SourceRow & SourceCounts)[]> => {
  const from = new Date((Math.floor(Date.now() / HOUR_MS) - 23) * HOUR_MS).toISOString()
  const [sources, ledger] = await Promise.all([getSources(), getLedger(from)])
  const counts = new Map(ledger.map((row) => [row.source, row]))
  return sources.map((source) => ({ ...NOTHING, ...counts.get(source.name), ...source }))
}

const NOTHING: SourceCounts = { received: 0, stored: 0, rejected: 0, duplicate: 0, pending: 0 }
