import { count, span } from '../../lib/format.ts'
import type { LiveOverview } from '@millrace/contracts'
import { lastMinute } from '../../lib/live.ts'
import { useWords } from '../../lib/words.ts'
import { Sparkline } from '../../parts/sparkline.tsx'

/** The figures at the top. */
export const Figures = ({ overview, now }: { readonly overview: LiveOverview | null; readonly now: number }) => {
  const text = useWords()
  const minute = overview ? lastMinute(overview, now) : NOTHING
  const newest = overview?.newestReceivedAt ?? null
  return (
    <dl className="figures">
      <div className="figure wide">
        <dt>{text.eventsLastMinute}</dt>
        <dd>
          <strong data-figure="minute">{count(minute.reduce((sum, value) => sum + value, 0))}</strong>
          <Sparkline values={minute} />
        </dd>
      </div>
      <Figure name="people" title={text.people} hint={text.peopleHint} value={overview && count(overview.people)} />
      <Figure name="stored" title={text.eventsStored} hint={text.eventsStoredHint} value={overview && count(overview.stored)} />
      <Figure
        name="freshness"
        title={text.freshness}
        hint={overview && newest === null ? text.noEventsYet : text.freshnessHint}
        value={newest === null ? null : span(Math.max(0, now - Date.parse(newest)))}
      />
    </dl>
  )
}

const NOTHING = Array.from({ length: 60 }, () => 0)

const Figure = ({ name, title, hint, value }: { readonly name: string; readonly title: string; readonly hint: string; readonly value: string | null }) => (
  <div className="figure">
    <dt>{title}</dt>
    <dd>
      <strong data-figure={name}>{value ?? '–'}</strong>
      <small>{hint}</small>
    </dd>
  </div>
)
