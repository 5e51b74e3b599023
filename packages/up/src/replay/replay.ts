import { createSystemClock } from '@millrace/adapters'
import { decodeHeader, topics } from '@millrace/contracts'
import type { EventLog, NewRecord } from '@millrace/ports'
import type { Logger } from '@millrace/service-kit'
import type { Env } from '../config.ts'
import { checkWhole, copyLog, copyScope, countResolved, RECORDED_TOPICS, SCOPES_BESIDE_THE_LOG, type Copied, type ResolvedCounts } from './copy-log.ts'
import { runToTheEnd } from './flow.ts'
import { openSource } from './source.ts'
import type { ReplayOptions } from './options.ts'
import { standingClock } from './standing-clock.ts'
import { openTarget } from './target.ts'

export interface ReplayResult extends Copied {
  /** What resolve told again, counted as `resolved` counts what was recorded. */
  readonly again: ResolvedCounts
  /** Records of the topics that were told anew. */
  readonly told: Readonly<Record<string, number>>
}

interface Told {
  readonly logger: Logger
  copied(copied: Copied): void
  /** Records read by all consumers, of all that they have to read. */
  moved(done: number, total: number): void
}

const PROGRESS_MS = 500
const TOLD_TOPICS: readonly string[] = [topics.map, topics.segmentChanged].map(({ name }) => name)

/** Copies what was recorded and folds it again. A folder `to` was found empty, a folder `from` is at the end of its log. @throws StartFault */
export const replay = async ({ from, to }: ReplayOptions, env: Env, told: Told): Promise<ReplayResult> => {
  const clock = standingClock()
  const source = await openSource(from, env, clock)
  const target = await openTarget(to, env, clock).catch(async (error: unknown) => {
    await source.close()
    throw error
  })
  try {
    await source.check()
    await checkWhole(from, source.log)
    for (const scope of SCOPES_BESIDE_THE_LOG) await copyScope(scope, source.hot, target.ports.hot)
    const copied = await copyLog(source.log, target.ports.log, { skipsOffsets: source.skipsOffsets, keyed: target.isKafka })
    // One who goes on working would have told some topics further than others.
    await source.check()
    told.copied(copied)
    const again = countResolved()
    const dropped = (group: string, records: readonly NewRecord[]): void => {
      if (group !== 'resolve') return
      for (const { topic, partition, value } of records) if (topic === topics.resolved.name) again.add(partition, decodeHeader(value))
    }
    const progress = watchProgress(target.ports.log, told.moved)
    await runToTheEnd(target.ports, { logger: told.logger, recorded: new Set(RECORDED_TOPICS), dropped }).finally(progress.stop)
    await progress.look()
    const toldAnew = await recordsOf(target.ports.log, TOLD_TOPICS)
    await target.finished()
    return { ...copied, again: again.counts(), told: toldAnew }
  } finally {
    await target.close()
    await source.close()
  }
}

/** Resolve drops and passes on the same events as it did: nothing that it depends on is missing or has changed. */
export const isSame = (a: ResolvedCounts, b: ResolvedCounts): boolean => JSON.stringify(a) === JSON.stringify(b)

const recordsOf = async (log: EventLog, names: readonly string[]): Promise<Record<string, number>> => {
  const records: Record<string, number> = {}
  for (const name of names) {
    records[name] = 0
    for (const { partition } of await log.extents(name)) records[name] += await countRecords(log, name, partition)
  }
  return records
}

const PAGE = { recordsMax: 5_000, bytesMax: 8 * 1024 * 1024 }

/** By reading them: in Kafka the ends of transactions have offsets, too. */
const countRecords = async (log: EventLog, topic: string, partition: number): Promise<number> => {
  let count = 0
  for (let from = 0; ; ) {
    const records = await log.read(topic, partition, from, PAGE)
    if (records.length === 0) return count
    count += records.length
    from = records.at(-1)!.offset + 1
  }
}

/** The consumers whose reading takes the time. */
const WATCHED = [['resolve', topics.accepted.name], ['identity', topics.facts.name], ['fold', topics.resolved.name], ['segmentation', topics.resolved.name], ['sink', topics.resolved.name]] as const

const watchProgress = (log: EventLog, moved: Told['moved']) => {
  const wall = createSystemClock()
  let cancel = (): void => {}
  const look = async (): Promise<void> => {
    let [done, total] = [0, 0]
    for (const [group, topic] of WATCHED) {
      for (const { partition, next } of await log.extents(topic)) {
        total += next
        done += (await log.committed(group, topic, partition)).offset
      }
    }
    moved(done, total)
  }
  const again = (): void => {
    cancel = wall.after(PROGRESS_MS, () => {
      again()
      void look().catch(() => undefined)
    })
  }
  again()
  return { look, stop: () => cancel() }
}
