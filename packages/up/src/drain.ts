import { allTopics } from '@millrace/contracts'
import type { EventLog } from '@millrace/ports'

/** A part of the flow that can be waited for. */
export interface Drains {
  drain(): Promise<void>
}

const ROUNDS_MAX = 100

/**
 * Resolves when everything that was sent has had all its effects. Parts write what other parts read, also in circles
 * (a placement goes back to the first topic), so they are waited for until a round has added nothing to the log.
 */
export const drainAll = async (log: EventLog, parts: readonly Drains[]): Promise<void> => {
  let before = -1
  for (let round = 0; round < ROUNDS_MAX; round++) {
    for (const part of parts) await part.drain()
    const after = await recordsOf(log)
    if (after === before) return
    before = after
  }
  throw new Error(`the log still grew after ${ROUNDS_MAX} rounds`)
}

const recordsOf = async (log: EventLog): Promise<number> => {
  let records = 0
  for (const { name } of allTopics) for (const { next } of await log.extents(name)) records += next
  return records
}
