import type { Assignment, Document, Entry, HotStore, Timer } from '@millrace/ports'

/**
 * Somebody else wrote the state: a copy that lost this partition and whose last write came late. What is in memory
 * lies behind it, so the partition is opened again from there.
 */
export class StateMoved extends Error {
  override readonly name = 'StateMoved'
}

/**
 * The scope of the hot store that one consumer writes, as far as this copy knows it. Every read is checked against
 * its watermark: documents that include more than this copy has folded would be folded twice.
 */
export interface OwnScope {
  readonly name: string
  /** Where to start reading: behind what the state includes. */
  readonly from: number
  /** @throws StateMoved */
  get(keys: readonly string[]): Promise<readonly (Document | undefined)[]>
  /** @throws StateMoved */
  scan(options: { prefix: string; after?: string; limit: number }): Promise<readonly Entry[]>
  /** @throws StateMoved */
  timersDue(at: number, limit: number): Promise<readonly Timer[]>
  /** After a batch was stored. */
  stored(watermark: number): void
}

/**
 * Reading starts where the state ends, and goes up to the commit silently (R14).
 * @throws when the state is ahead of the log: one of the two was exchanged or lost, and going on would count twice
 */
export const openOwnScope = async (hot: HotStore, name: string, { committed, topic, partition }: Assignment): Promise<OwnScope> => {
  const watermark = await hot.watermark(name)
  if (watermark !== null && watermark > committed.offset) {
    const place = `${topic}/${partition}`
    throw new Error(`the state of ${name} includes ${place} up to ${watermark}, the log is committed only to ${committed.offset}`)
  }
  return ownScopeAt(hot, name, watermark)
}

const ownScopeAt = (hot: HotStore, name: string, opened: number | null): OwnScope => {
  let watermark = opened
  // Documents and watermark are written as one, so what was read before an unchanged watermark is not ahead of it.
  const checkUnmoved = async (): Promise<void> => {
    if ((await hot.watermark(name)) !== watermark) throw new StateMoved(`the state of ${name} was written by another copy`)
  }
  const checked = async <Found>(reading: Promise<Found>): Promise<Found> => {
    const found = await reading
    await checkUnmoved()
    return found
  }
  return {
    name,
    from: opened ?? 0,
    get: (keys) => checked(hot.get(name, keys)),
    scan: (options) => checked(hot.scan(name, options)),
    timersDue: (at, limit) => checked(hot.timersDue(name, at, limit)),
    stored: (at) => {
      watermark = at
    },
  }
}
