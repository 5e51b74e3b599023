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
  const { state, connection } = useLive()
  const first = state.people === 0
  return (
    <main>
      <div className="title-line">
        <h1>{text.now}</h1>
        <span className={`connection ${connection}`} role="status">{text[connection]}</span>
      </div>
      <Figures live={state} />
      <div className="columns">
        <div className="column">
          {first && <FirstEvent first />}
          <LatestEvents events={state.events} />
        </div>
        <div className="column">
          <Ledger />
          <Segments />
          <RefusedEvents refused={state.refused} />
          {!first && <FirstEvent first={false} />}
        </div>
      </div>
    </main>
  )
}
