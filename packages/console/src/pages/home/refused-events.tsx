import type { LiveRefusal } from '@millrace/contracts'
import { count, dayAndTime } from '../../lib/format.ts'
import { useWords } from '../../lib/words.ts'
import { Card, Empty } from '../../parts/card.tsx'

/** What was not taken, and why. */
export const RefusedEvents = ({ refused, total }: { readonly refused: readonly LiveRefusal[]; readonly total: number }) => {
  const text = useWords()
  return (
    <Card title={text.refused} aside={total > 0 && <span className="badge bad">{count(total)}</span>}>
      {refused.length === 0 ? (
        <Empty>{text.refusedEmpty}</Empty>
      ) : (
        <ul className="refused">
          {refused.map((one, index) => (
            <li key={index}>
              <div>
                <code className="code">{one.code}</code>
                <time dateTime={one.receivedAt}>{dayAndTime(Date.parse(one.receivedAt))}</time>
              </div>
              <p>{one.detail}</p>
              <small>
                {one.source}
                {one.messageId !== null && ` · ${one.messageId}`}
              </small>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}
