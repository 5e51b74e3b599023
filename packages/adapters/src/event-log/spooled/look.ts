import { createHash } from 'node:crypto'
import type { EventLog } from '@millrace/ports'
import { grouped } from '../grouped.ts'
import { placeOf, type Ends } from './entry.ts'
import type { Held } from './store.ts'

export interface LookDeps {
  readonly log: Pick<EventLog, 'read'>
  readonly pause: (ms: number) => Promise<void>
}

const READ = { recordsMax: 1_000, bytesMax: 4 << 20 }
/** A record behind an open transaction is not shown yet. One that nobody ends is ended by the brokers after 10 s and some. */
const HIDDEN_MS_MAX = 15_000
const HIDDEN_LOOK_MS = 500

/**
 * Those whose bytes are in their partition already, each from where it may be at the earliest up to `ends`. Records hold
 * the ids of requests and the time at which they came, so equal bytes are the same record. Of two that are equal, one found is one.
 */
export const foundInLog = async (deps: LookDeps, doubtful: readonly Held[], ends: Ends): Promise<readonly Held[]> => {
  const byPlace = grouped(doubtful, ({ record }) => placeOf(record))
  return (await Promise.all([...byPlace].map(([place, some]) => foundInPlace(deps, some, ends.get(place) ?? 0)))).flat()
}

const foundInPlace = async ({ log, pause }: LookDeps, wanted: readonly Held[], end: number): Promise<readonly Held[]> => {
  const { topic, partition } = wanted[0]!.record
  const missing = new Map([...grouped(wanted, ({ record }) => hashOf(record.value))].map(([hash, equal]) => [hash, [...equal]]))
  const found: Held[] = []
  let waitedMs = 0
  for (let at = Math.min(...wanted.map(({ mayBeFrom }) => mayBeFrom ?? end)); at < end && found.length < wanted.length; ) {
    const records = await log.read(topic, partition, at, READ)
    for (const { value } of records) found.push(...(missing.get(hashOf(value))?.splice(0, 1) ?? []))
    at = (records.at(-1)?.offset ?? at - 1) + 1
    if (records.length > 0) continue
    // One offset that shows nothing is the mark of a transaction that has ended: one that is open hides two if one of them is ours.
    if (end - at < 2 || waitedMs >= HIDDEN_MS_MAX) break
    await pause(HIDDEN_LOOK_MS)
    waitedMs += HIDDEN_LOOK_MS
  }
  return found
}

const hashOf = (value: Uint8Array): string => createHash('sha256').update(value).digest('base64')
