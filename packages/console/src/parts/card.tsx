import { useId, type ReactNode } from 'react'

/** A part of a page with a heading. */
export const Card = ({ title, hint, aside, className = '', children }: {
  readonly title: string
  readonly hint?: string
  readonly aside?: ReactNode
  readonly className?: string
  readonly children: ReactNode
}) => {
  const id = useId()
  return (
    <section className={`card ${className}`} aria-labelledby={id}>
      <header className="card-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {hint && <p className="hint">{hint}</p>}
      {children}
    </section>
  )
}

export const Empty = ({ children }: { readonly children: ReactNode }) => <p className="empty">{children}</p>
