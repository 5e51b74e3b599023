import { topics, type Topic } from '@millrace/contracts'
import type { Clock, EventLog } from '@millrace/ports'
import { StartFault } from './folder/fault.ts'

/** Who reads which topics; a group that nobody tells of is missing, not at rest. */
export const consumerGroups = {
  resolve: [topics.accepted],
  identity: [topics.facts],
  fold: [topics.resolved],
  segmentation: [topics.resolved],
  sink: [topics.resolved, topics.map, topics.segmentChanged, topics.rejected],
  ledger: [topics.accepted, topics.rejected],
} as const satisfies Readonly<Record<string, readonly Topic[]>>

type Log = Pick<EventLog, 'extents' | 'committed' | 'read'>

/** The groups that have not handled everything in the log, as `group topic/partition: position of end`. */
export const groupsBehind = async (log: Log): Promise<readonly string[]> => {
  const behind: string[] = []
  for (const [group, read] of Object.entries(consumerGroups)) {
    for (const { name } of read) {
      for (const { partition, next } of await log.extents(name)) {
        const { offset } = await log.committed(group, name, partition)
        // In Kafka the ends of transactions have offsets, too, which nobody reads.
        const left = offset < next ? await log.read(name, partition, offset, { recordsMax: 1, bytesMax: 1 }) : []
        if (left.length > 0) behind.push(`${group} ${name}/${partition}: ${offset} of ${next}`)
      }
    }
  }
  return behind
}

/** Longer than what comes behind a position: the ledger's rows are written a second later. */
const STILL_MS = 3_000

const LOOKS_MAX = 20

/** Resolves when everything is handled and nothing has come for three seconds, waits for it a minute at most. @throws StartFault that says what still moves */
export const requireRest = async (place: string, log: Log, clock: Clock): Promise<void> => {
  let ends = await endsOf(log)
  for (let look = 1; ; look++) {
    await new Promise<void>((resolve) => void clock.after(STILL_MS, resolve))
    const [before, behind] = [ends, await groupsBehind(log)]
    ends = await endsOf(log)
    if (behind.length === 0 && ends === before) return
    if (look < LOOKS_MAX) continue
    const what = behind.length === 0 ? 'records still come into its log' : `not everything is handled yet (${behind.slice(0, 3).join(', ')})`
    throw new StartFault(`${place} is not at rest: ${what}. Let nobody send to it, then try again.`)
  }
}

const endsOf = async (log: Log): Promise<string> => {
  const ends: string[] = []
  for (const { name } of Object.values(topics)) for (const { partition, next } of await log.extents(name)) ends.push(`${name}/${partition}: ${next}`)
  return ends.join(' ')
}
