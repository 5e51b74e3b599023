import type { LiveEvent } from '@millrace/contracts'
import { clockTime } from '../../lib/format.ts'
import { useWords } from '../../lib/words.ts'
import { Card, Empty } from '../../parts/card.tsx'

/** The last events with the person that each was filed under. */
export const LatestEvents = ({ events }: { readonly events: readonly LiveEvent[] }) => {
  const text = useWords()
  return (
    <Card title={text.latestEvents} className="latest">
      {events.length === 0 ? (
        <Empty>{text.latestEventsEmpty}</Empty>
      ) : (
        <ol className="stream">
          {events.map((event) => (
            <li key={event.messageId}>
              <time dateTime={event.receivedAt}>{clockTime(Date.parse(event.receivedAt))}</time>
              <span className={`kind kind-${event.type}`}>{event.type}</span>
              <span className="event-name">{event.event}</span>
              {event.channel && <span className="tag">{event.channel}</span>}
              <PersonName event={event} />
            </li>
          ))}
        </ol>
      )}
    </Card>
  )
}

const PersonName = ({ event }: { readonly event: LiveEvent }) => {
  const text = useWords()
  if (event.personId === null) return <span className="person nobody">{text.nobody}</span>
  return (
    <span className="person" title={event.personId}>
      {event.userId ?? event.anonymousId}
    </span>
  )
}
