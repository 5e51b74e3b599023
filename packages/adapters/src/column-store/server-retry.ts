import { StoreError } from '@millrace/ports'
import { Broken } from './server-request.ts'

/** `again`: a repeat is safe. `once`: only when the server has certainly not seen it. */
type Repeats = 'again' | 'once'
export type Retry = <Done>(repeats: Repeats, work: () => Promise<Done>) => Promise<Done>

/**
 * What passes by itself: too many statements, the net between replicas, too many parts, a table that has lost its
 * Keeper, an insert of unknown outcome.
 */
const PASSING: ReadonlySet<number> = new Set([202, 209, 210, 225, 242, 252, 279, 285, 319, 999])
const PAUSE_MS = 50

/** Tries again with growing pauses (50, 200, 800 ms …). @throws StoreError */
export const createRetry = (attemptsMax: number): Retry => async (repeats, work) => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= attemptsMax || !mayRepeat(error, repeats)) throw error
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 4 ** (attempt - 1)))
    }
  }
}

const mayRepeat = (error: unknown, repeats: Repeats): boolean =>
  error instanceof Broken ? error.unsent || repeats === 'again' : error instanceof StoreError && repeats === 'again' && PASSING.has(error.code)
