/** Says once that something began, and once that it is over. */
export interface Teller {
  of(event: string, message: string): void
  begun(message: string): void
  drained(): void
  full(message: string): void
}

export const createTeller = (onWarning: (warning: { readonly event: string; readonly message: string }) => void): Teller => {
  let spooling = false
  let full = false
  const of = (event: string, message: string): void => onWarning({ event, message })
  return {
    of,
    begun: (message) => {
      if (!spooling) of('spool.begun', message)
      spooling = true
    },
    drained: () => {
      if (spooling) of('spool.drained', 'the log has all that waited, and takes events again')
      spooling = false
      full = false
    },
    full: (message) => {
      if (!full) of('spool.full', message)
      full = true
    },
  }
}
