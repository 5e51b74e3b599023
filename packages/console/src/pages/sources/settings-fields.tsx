import type { SourceSettings } from '../../lib/api.ts'
import { useWords } from '../../lib/words.ts'

/** What can be said of a source, new or old; read back by `settingsOf`. */
export const SettingsFields = ({ settings }: { readonly settings: SourceSettings }) => {
  const text = useWords()
  return (
    <>
      <label>
        {text.allowedOrigins}
        <textarea name="origins" rows={2} defaultValue={settings.allowedOrigins.join('\n')} />
        <small>{text.allowedOriginsHint}</small>
      </label>
      <label>
        {text.limit}
        <input name="limit" type="number" min={1} max={1_000_000} defaultValue={settings.eventsPerSecondMax ?? ''} />
        <small>{text.limitHint}</small>
      </label>
      <label className="check">
        <input name="server" type="checkbox" defaultChecked={settings.server} />
        {text.trustedServer}
      </label>
    </>
  )
}

export const settingsOf = (form: FormData): SourceSettings => {
  const limit = written(form, 'limit')
  return {
    allowedOrigins: written(form, 'origins').split(/[\s,]+/).filter((origin) => origin !== ''),
    eventsPerSecondMax: limit === '' ? null : Number(limit),
    server: form.get('server') !== null,
  }
}

export const written = (form: FormData, name: string): string => {
  const value = form.get(name)
  return typeof value === 'string' ? value.trim() : ''
}
