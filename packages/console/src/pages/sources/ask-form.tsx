import { useState, type ReactNode } from 'react'

/** A form whose question may be refused: the server's words are shown, and nothing can be asked twice at once. */
export const AskForm = ({ action, name, done, onSend, children }: {
  readonly action: string
  /** Accessible name. */
  readonly name: string
  readonly done?: string
  readonly onSend: (form: FormData) => Promise<unknown>
  readonly children: ReactNode
}) => {
  const [state, setState] = useState<{ readonly asking: boolean; readonly told: string; readonly failed: boolean }>(RESTING)
  const send = async (form: HTMLFormElement): Promise<void> => {
    setState({ ...RESTING, asking: true })
    await onSend(new FormData(form)).then(
      () => setState({ ...RESTING, told: done ?? '' }),
      (error: unknown) => setState({ asking: false, told: (error as Error).message, failed: true }),
    )
  }
  return (
    <form
      className="fields"
      aria-label={name}
      onSubmit={(event) => {
        event.preventDefault()
        void send(event.currentTarget)
      }}
    >
      {children}
      <div className="form-end">
        <button type="submit" className="plain" disabled={state.asking}>{action}</button>
        <span role="status" className={state.failed ? 'bad-text' : ''}>{state.told}</span>
      </div>
    </form>
  )
}

const RESTING = { asking: false, told: '', failed: false }
