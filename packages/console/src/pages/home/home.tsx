import { useLive } from '../../lib/live.ts'
import { useWords } from '../../lib/words.ts'
import { Figures } from './figures.tsx'
import { FirstEvent } from './first-event.tsx'
import { LatestEvents } from './latest-events.tsx'
import { Ledger } from './ledger.tsx'
import { RefusedEvents } from './refused-events.tsx'
import { Segments } from './segments.tsx'

/** What arrives now, and whether all of it is where it belongs. */
export const Home = () => {
  const text = useWords()
  const { overview, now, connection } = useLive()
  const first = overview?.stored === 0
  return (
    <main>
      <div className="title-line">
        <h1>{text.now}</h1>
        <span className={`connection ${connection}`} role="status">{text[connection]}</span>
      </div>
      <Figures overview={overview} now={now} />
      <div className="columns">
        <div className="column">
          {first && <FirstEvent first />}
          <LatestEvents events={overview?.events ?? []} />
        </div>
        <div className="column">
          <Ledger />
          <Segments />
          <RefusedEvents refused={overview?.refused ?? []} total={overview?.refusedTotal ?? 0} />
          {!first && <FirstEvent first={false} />}
        </div>
      </div>
    </main>
  )
}
