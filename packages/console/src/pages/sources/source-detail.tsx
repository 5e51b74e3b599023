import { changeSource, rotateKey, type NewKey, type SourceRow } from '../../lib/api.ts'
import { useWords } from '../../lib/words.ts'
import { Card } from '../../parts/card.tsx'
import { AskForm } from './ask-form.tsx'
import { SettingsFields, settingsOf, written } from './settings-fields.tsx'
import { WriteKeys } from './write-keys.tsx'

const HOUR_MS = 3_600_000

/** One source: its keys and its settings. */
export const SourceDetail = ({ source, onKey, onChanged }: {
  readonly source: SourceRow
  readonly onKey: (fresh: NewKey) => void
  readonly onChanged: () => void
}) => {
  const text = useWords()
  const { name } = source
  const change = async (form: FormData): Promise<void> => {
    await changeSource(name, settingsOf(form))
    onChanged()
  }
  const rotate = async (form: FormData): Promise<void> => onKey(await rotateKey(name, Number(written(form, 'grace'))))
  return (
    <>
      <Card title={`${name}: ${text.keys}`}>
        <WriteKeys source={source} onChanged={onChanged} />
        <AskForm name={text.rotate} action={text.rotate} onSend={rotate}>
          <label>
            {text.rotateGrace}
            <select name="grace" defaultValue={24 * HOUR_MS}>
              <option value={0}>{text.graceNone}</option>
              <option value={HOUR_MS}>{text.graceHour}</option>
              <option value={24 * HOUR_MS}>{text.graceDay}</option>
              <option value={30 * 24 * HOUR_MS}>{text.graceMonth}</option>
            </select>
          </label>
        </AskForm>
      </Card>
      <Card title={`${name}: ${text.settings}`}>
        <AskForm name={text.settings} action={text.save} done={text.saved} onSend={change}>
          <SettingsFields settings={source} />
        </AskForm>
      </Card>
    </>
  )
}
