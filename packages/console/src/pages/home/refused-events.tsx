import type { RefusedEvent } from '../../lib/live.ts'
import { dayAndTime } from '../../lib/format.ts'
import { useWords } from '../../lib/words.ts'
import { Card, Empty } from '../../parts/card.tsx'

/** What was not taken, why, and how it began. */
export const RefusedEvents = ({ refused }: { readonly refused: readonly RefusedEvent[] }) => {
  const text = useWords()
  return (
    <Card title={text.refused}>
      {refused.length === 0 ? (
        <Empty>{text.refusedEmpty}</Empty>
      ) : (
        <ul className="refused">
          {refused.map((one) => (
            <li key={one.id}>
              <div>
                <code className="code">{one.code}</code>
                <time dateTime={new Date(one.at).toISOString()}>{dayAndTime(one.at)}</time>
              </div>
              <p>{one.detail}</p>
              {one.beginning && <code className="bytes">{one.beginning}</code>}
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}
