import { useState } from 'react'
import { useWords } from '../lib/words.ts'

export interface Example {
  readonly name: string
  readonly code: string
}

/** Code in several languages, one at a time, to copy. */
export const Snippet = ({ examples }: { readonly examples: readonly Example[] }) => {
  const text = useWords()
  const [chosen, choose] = useState(0)
  const [copied, setCopied] = useState(false)
  const code = examples[chosen]?.code ?? ''
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(code)
    setCopied(true)
    setTimeout(() => setCopied(false), 1500)
  }
  return (
    <div className="snippet">
      <div className="snippet-head">
        {examples.map(({ name }, index) => (
          <button key={name} type="button" aria-pressed={index === chosen} onClick={() => choose(index)}>
            {name}
          </button>
        ))}
        <button type="button" className="copy" onClick={() => void copy()}>
          <span aria-live="polite">{copied ? text.copied : text.copy}</span>
        </button>
      </div>
      <pre tabIndex={0}>
        <code>{code}</code>
      </pre>
    </div>
  )
}
