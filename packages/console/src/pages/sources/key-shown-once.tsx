import type { NewKey } from '../../lib/api.ts'
import { useWords } from '../../lib/words.ts'
import { Card } from '../../parts/card.tsx'
import { Snippet } from '../../parts/snippet.tsx'

/** The one moment at which a key can be read. */
export const KeyShownOnce = ({ fresh, onClose }: { readonly fresh: NewKey; readonly onClose: () => void }) => {
  const text = useWords()
  const close = <button type="button" className="plain" onClick={onClose}>{text.close}</button>
  return (
    <Card title={`${text.keyNew} ${fresh.name}`} hint={text.keyOnce} aside={close} className="key-once">
      <Snippet examples={[{ name: fresh.name, code: fresh.writeKey }]} />
    </Card>
  )
}
