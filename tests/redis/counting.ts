import { HotStoreUnavailable, type HotStore, type StateWrite } from '@millrace/ports'

const BATCH = 7
const KEYS = 40
const REOPENED_MAX = 500

/** What a run of the consumer met. */
export interface Met {
  /** Writes that the store did not take: memory and store differed. */
  refused: number
  /** Times that the store did not answer. */
  unavailable: number
}

export interface Counting {
  readonly hot: HotStore
  readonly scope: string
  readonly end: number
  /** What the consumer has read already; else it reads what is stored. */
  readonly opened?: { readonly at: number; readonly counts: Map<string, number> }
  /** Before the write of each batch. */
  before?(at: number): Promise<void> | void
  /** After the store did not answer. */
  recovered?(): Promise<void>
}

/**
 * A consumer whose log is the numbers below `end`: it counts how often each key was named, keeps the counts in memory
 * between batches, and begins anew from what is stored when a write is refused. The store is checked at each opening.
 */
export const count = async ({ hot, scope, end, opened: first, before, recovered }: Counting): Promise<Met> => {
  const met: Met = { refused: 0, unavailable: 0 }
  for (let opened = 0; opened < REOPENED_MAX; opened++) {
    try {
      let { at, counts } = opened === 0 && first ? first : await open(hot, scope)
      for (;;) {
        if (at >= end) return met
        const write = step(scope, counts, at, Math.min(at + BATCH, end))
        await before?.(at)
        if (!(await hot.apply(write, at))) break
        at = write.watermark
      }
      met.refused++
    } catch (error) {
      if (!(error instanceof HotStoreUnavailable)) throw error
      met.unavailable++
      await recovered?.()
    }
  }
  throw new Error(`${scope} was opened ${REOPENED_MAX} times and did not come to its end`)
}

/** Documents, timers and watermark agree, or this throws: one without the others would be counted wrong for ever. */
export const open = async (hot: HotStore, scope: string): Promise<{ at: number; counts: Map<string, number> }> => {
  const at = (await hot.watermark(scope)) ?? 0
  const entries = await hot.scan(scope, { prefix: '', limit: 10_000 })
  const timers = await hot.timersDue(scope, Number.MAX_SAFE_INTEGER, 10_000)
  if ((await hot.watermark(scope) ?? 0) !== at) return open(hot, scope)
  const counts = new Map(entries.map(({ key, document }) => [key, (document as { count: number }).count]))
  const wanted = new Map<string, number>()
  for (let offset = 0; offset < at; offset++) wanted.set(keyOf(offset), (wanted.get(keyOf(offset)) ?? 0) + 1)
  const told = (map: Map<string, unknown>): string => JSON.stringify([...map].sort())
  if (told(counts) !== told(wanted)) throw new Error(`at ${at}, ${scope} has ${told(counts)} instead of ${told(wanted)}`)
  const last = new Map(timers.map(({ id, at: time }) => [id, time]))
  for (const key of wanted.keys()) if (last.get(key) !== lastOf(key, at)) throw new Error(`at ${at}, the timer ${key} of ${scope} is at ${last.get(key)}`)
  if (last.size !== wanted.size) throw new Error(`at ${at}, ${scope} has ${last.size} timers instead of ${wanted.size}`)
  return { at, counts }
}

const keyOf = (offset: number): string => `k${offset % KEYS}`

const lastOf = (key: string, at: number): number => {
  for (let offset = at - 1; ; offset--) if (keyOf(offset) === key) return offset
}

const step = (scope: string, counts: Map<string, number>, from: number, to: number): StateWrite => {
  const puts = new Map<string, unknown>()
  const timers = new Map<string, number>()
  for (let offset = from; offset < to; offset++) {
    const key = keyOf(offset)
    counts.set(key, (counts.get(key) ?? 0) + 1)
    puts.set(key, { count: counts.get(key), filling: 'x'.repeat(200) })
    timers.set(key, offset)
  }
  return { scope, watermark: to, puts: [...puts], deletes: [], timers: [...timers] }
}
