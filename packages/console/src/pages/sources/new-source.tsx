import { addSource, type NewKey } from '../../lib/api.ts'
import { useWords } from '../../lib/words.ts'
import { Card } from '../../parts/card.tsx'
import { AskForm } from './ask-form.tsx'
import { SettingsFields, settingsOf, written } from './settings-fields.tsx'

const BARE = { allowedOrigins: [], eventsPerSecondMax: null, server: false }

export const NewSource = ({ onMade }: { readonly onMade: (fresh: NewKey) => void }) => {
  const text = useWords()
  const make = async (form: FormData): Promise<void> => onMade(await addSource({ name: written(form, 'name'), ...settingsOf(form) }))
  return (
    <Card title={text.newSource}>
      <AskForm name={text.newSource} action={text.makeSource} onSend={make}>
        <label>
          {text.sourceName}
          <input name="name" required maxLength={64} autoComplete="off" spellCheck={false} />
          <small>{text.sourceNameHint}</small>
        </label>
        <SettingsFields settings={BARE} />
      </AskForm>
    </Card>
  )
}
