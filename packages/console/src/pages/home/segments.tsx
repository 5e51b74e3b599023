import { getSegments } from '../../lib/api.ts'
import { count } from '../../lib/format.ts'
import { usePolled } from '../../lib/poll.ts'
import { useWords } from '../../lib/words.ts'
import { Card, Empty } from '../../parts/card.tsx'

const EVERY_MS = 3_000

/** Each segment with the number of people in it now. */
export const Segments = () => {
  const text = useWords()
  const { value, failed } = usePolled(getSegments, EVERY_MS)
  return (
    <Card title={text.segments}>
      {failed && !value && <Empty>{text.couldNotLoad}</Empty>}
      {value?.length === 0 && <Empty>{text.segmentsEmpty}</Empty>}
      {value && value.length > 0 && (
        <ul className="segments">
          {value.map(({ id, name, size }) => (
            <li key={id}>
              <span>{name}</span>
              <span className="number">
                {size !== null && count(size)} <small>{size === null ? text.segmentFilling : text.segmentPeople}</small>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}
