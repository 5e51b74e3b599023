import { useEffect, useState } from 'react'

export interface Polled<T> {
  /** null until the first answer. */
  readonly value: T | null
  readonly failed: boolean
}

/**
 * Asks again and again while the page is seen; one question at a time. The last answer stays when a later one fails.
 * @param load must be the same function each time
 */
export const usePolled = <T>(load: () => Promise<T>, everyMs: number): Polled<T> => {
  const [state, setState] = useState<Polled<T>>({ value: null, failed: false })
  useEffect(() => {
    let stopped = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async (): Promise<void> => {
      if (document.visibilityState === 'visible') {
        const next = await load().then((value) => ({ value, failed: false }), () => null)
        if (stopped) return
        setState((before) => next ?? { ...before, failed: true })
      }
      if (!stopped) timer = setTimeout(() => void ask(), everyMs)
    }
    void ask()
    return () => {
      stopped = true
      clearTimeout(timer)
    }
  }, [load, everyMs])
  return state
}
