import type { LiveState } from '../../lib/live.ts'
import { count, span } from '../../lib/format.ts'
import { useWords } from '../../lib/words.ts'
import { Sparkline } from '../../parts/sparkline.tsx'

/** The four figures at the top. */
export const Figures = ({ live }: { readonly live: LiveState }) => {
  const text = useWords()
  const minute = live.perSecond.reduce((sum, value) => sum + value, 0)
  return (
    <dl className="figures">
      <div className="figure wide">
        <dt>{text.eventsLastMinute}</dt>
        <dd>
          <strong data-figure="minute">{count(minute)}</strong>
          <Sparkline values={live.perSecond} />
        </dd>
      </div>
      <div className="figure">
        <dt>{text.people}</dt>
        <dd>
          <strong data-figure="people">{live.people === null ? '–' : count(live.people)}</strong>
          <small>{text.peopleHint}</small>
        </dd>
      </div>
      <Freshness live={live} />
    </dl>
  )
}

const Freshness = ({ live }: { readonly live: LiveState }) => {
  const text = useWords()
  const behind = live.pending !== null && live.pending > 0
  return (
    <div className="figure">
      <dt>{text.freshness}</dt>
      <dd>
        <strong data-figure="freshness">{live.newest === null ? '–' : span(Math.max(0, live.at - live.newest))}</strong>
        <small>{live.newest === null ? text.noEventsYet : behind ? `${text.pending}: ${count(live.pending ?? 0)}` : text.freshnessWhole}</small>
      </dd>
    </div>
  )
}
