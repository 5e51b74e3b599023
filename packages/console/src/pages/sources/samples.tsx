import { useCallback } from 'react'
import { getActivity } from '../../lib/api.ts'
import { clockTime, dayAndTime } from '../../lib/format.ts'
import { usePolled } from '../../lib/poll.ts'
import { useWords } from '../../lib/words.ts'
import { Card, Empty } from '../../parts/card.tsx'

const EVERY_MS = 5_000

/** The newest of what a source sent, taken and refused; a request's id finds the rest of it. */
export const Samples = ({ name }: { readonly name: string }) => {
  const text = useWords()
  const load = useCallback(() => getActivity(name), [name])
  const { value, failed } = usePolled(load, EVERY_MS)
  return (
    <>
      <Card title={`${name}: ${text.newestEvents}`}>
        {failed && !value && <Empty>{text.couldNotLoad}</Empty>}
        {value?.accepted.length === 0 && <Empty>{text.newestEventsEmpty}</Empty>}
        <ol className="stream">
          {value?.accepted.map((event) => (
            <li key={event.messageId} title={event.requestId ?? ''}>
              <time dateTime={event.receivedAt}>{clockTime(Date.parse(event.receivedAt))}</time>
              <span className={`kind kind-${event.type}`}>{event.type}</span>
              <span className="event-name">{event.event}</span>
              <span className="person">{event.userId ?? event.anonymousId ?? text.nobody}</span>
            </li>
          ))}
        </ol>
      </Card>
      <Card title={`${name}: ${text.refused}`}>
        {value?.rejected.length === 0 && <Empty>{text.newestEventsEmpty}</Empty>}
        <ul className="refused">
          {value?.rejected.map((one, index) => (
            <li key={index}>
              <div>
                <code className="code">{one.code}</code>
                <time dateTime={one.receivedAt}>{dayAndTime(Date.parse(one.receivedAt))}</time>
              </div>
              <p>{one.detail}</p>
              <small>{[one.requestId, one.messageId].filter((id) => id !== null).join(' · ')}</small>
            </li>
          ))}
        </ul>
      </Card>
    </>
  )
}
