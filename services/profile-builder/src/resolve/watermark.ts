import type { Assignment, HotStore } from '@millrace/ports'

/**
 * The position that the state includes; null: there is none yet. Reading starts there, and goes up to the commit
 * silently (R14).
 * @throws when the state is ahead of the log: one of the two was exchanged or lost, and going on would count twice
 */
export const watermarkOf = async (hot: HotStore, scope: string, { committed, topic, partition }: Assignment): Promise<number | null> => {
  const watermark = await hot.watermark(scope)
  if (watermark !== null && watermark > committed.offset) {
    const place = `${topic}/${partition}`
    throw new Error(`the state of ${scope} includes ${place} up to ${watermark}, the log is committed only to ${committed.offset}`)
  }
  return watermark
}

/** Where to read from: behind what the state includes. */
export const resumeFrom = async (hot: HotStore, scope: string, assignment: Assignment): Promise<number> =>
  (await watermarkOf(hot, scope, assignment)) ?? 0
