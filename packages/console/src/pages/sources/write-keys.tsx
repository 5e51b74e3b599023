import { useState } from 'react'
import { revokeKey, type SourceRow, type WriteKeyRow } from '../../lib/api.ts'
import { dayAndTime } from '../../lib/format.ts'
import { useWords, type Words } from '../../lib/words.ts'

/** Keys by their ids, the newest first; what is revoked never works again, so it is asked twice. */
export const WriteKeys = ({ source, onChanged }: { readonly source: SourceRow; readonly onChanged: () => void }) => {
  const text = useWords()
  const [asked, ask] = useState<string | null>(null)
  const [fault, setFault] = useState('')
  const revoke = async (id: string): Promise<void> => {
    if (asked !== id) return ask(id)
    ask(null)
    await revokeKey(source.name, id).then(() => setFault(''), (error: unknown) => setFault((error as Error).message))
    onChanged()
  }
  return (
    <>
      <ul className="keys">
        {[...source.keys].reverse().map((key) => (
          <li key={key.id}>
            <span>
              <code>{key.id}</code> <small>{stateOf(key, text)}{key.createdAt && ` · ${text.keyMade} ${dayAndTime(Date.parse(key.createdAt))}`}</small>
            </span>
            {isLive(key) && (
              <button type="button" className="plain danger" onClick={() => void revoke(key.id)}>{asked === key.id ? text.revokeSure : text.revoke}</button>
            )}
          </li>
        ))}
      </ul>
      {fault && <p className="bad-text" role="alert">{fault}</p>}
    </>
  )
}

const isLive = ({ expiresAt, revokedAt }: WriteKeyRow): boolean => revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > Date.now())

const stateOf = (key: WriteKeyRow, text: Words): string => {
  if (key.revokedAt !== null) return `${text.keyRevoked} ${dayAndTime(Date.parse(key.revokedAt))}`
  if (key.expiresAt === null) return text.keyWorks
  return `${isLive(key) ? text.keyUntil : text.keyExpired} ${dayAndTime(Date.parse(key.expiresAt))}`
}
