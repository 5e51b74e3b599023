/** Where an append goes. */
export interface Gate {
  /** Straight to the log. */
  isOpen(): boolean
  /** Into the spool. */
  isShut(): boolean
  open(): void
  shut(): void
  /** Appends wait until it is opened or shut, so that the last of the spool is sent before any of them. */
  hold(): void
  /** Resolves when nothing is held. Who waits goes on in the order of the calls. */
  passing(): Promise<void>
}

export const createGate = (): Gate => {
  let state: 'open' | 'shut' | 'held' = 'shut'
  let held: { readonly passed: Promise<void>; readonly pass: () => void } | null = null
  const become = (next: 'open' | 'shut'): void => {
    state = next
    held?.pass()
    held = null
  }
  return {
    isOpen: () => state === 'open',
    isShut: () => state === 'shut',
    open: () => become('open'),
    shut: () => become('shut'),
    hold: () => {
      state = 'held'
      let pass!: () => void
      held ??= { passed: new Promise<void>((resolve) => { pass = resolve }), pass: () => pass() }
    },
    passing: async () => held?.passed,
  }
}
