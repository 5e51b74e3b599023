import { StoreError } from '@millrace/ports'

const TOO_MANY = 202

/** At most `running` at once and `waiting` behind them; one more is refused. */
export const createSlots = (running: number, waiting: number): { take(): Promise<() => void> } => {
  const queue: (() => void)[] = []
  let free = running
  const release = (): void => {
    const next = queue.shift()
    if (next) next()
    else free += 1
  }
  const once = (): (() => void) => {
    let held = true
    return () => {
      if (held) release()
      held = false
    }
  }
  return {
    take: async () => {
      if (free > 0) free -= 1
      else if (queue.length >= waiting) throw new StoreError(TOO_MANY, 'Too many simultaneous queries')
      else await new Promise<void>((resolve) => queue.push(resolve))
      return once()
    },
  }
}
