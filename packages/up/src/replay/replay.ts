import { createSystemClock } from '@millrace/adapters'
import { decodeHeader, topics } from '@millrace/contracts'
import type { EventLog, NewRecord } from '@millrace/ports'
import type { Logger } from '@millrace/service-kit'
import type { Env } from '../config.ts'
import { openFolder } from '../folder/open-folder.ts'
import { checkWhole, copyLog, copyScope, countResolved, RECORDED_TOPICS, SCOPES_BESIDE_THE_LOG, type Copied, type ResolvedCounts } from './copy-log.ts'
import { runToTheEnd } from './flow.ts'
import { openSource } from './source.ts'
import type { ReplayOptions } from './options.ts'
import { standingClock } from './standing-clock.ts'
import { markUnfinished } from './target.ts'

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

/** Copies what was recorded and folds it again. The folder `to` was found empty, a folder `from` is at the end of its log. @throws StartFault */
export const replay = async ({ from, to }: ReplayOptions, env: Env, told: Told): Promise<ReplayResult> => {
  const clock = standingClock()
  const source = await openSource(from, env, clock)
  // Nobody is told that anything here is safe before it is whole, so no commit needs to wait for the disk.
  const target = await openFolder({ dataDir: to, sync: 'os' }, { clock }).catch(async (error: unknown) => {
    await source.close()
    throw error
  })
  try {
    await source.check()
    await checkWhole(from, source.log)
    const mark = await markUnfinished(to)
    for (const scope of SCOPES_BESIDE_THE_LOG) await copyScope(scope, source.hot, target.ports.hot)
    const copied = await copyLog(source.log, target.ports.log, source.skipsOffsets)
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
    await mark.finished()
    return { ...copied, again: again.counts(), told: await recordsOf(target.ports.log, TOLD_TOPICS) }
  } finally {
    await target.close()
    await source.close()
  }
}

/** Resolve drops and passes on the same events as it did: nothing that it depends on is missing or has changed. */
export const isSame = (a: ResolvedCounts, b: ResolvedCounts): boolean => JSON.stringify(a) === JSON.stringify(b)

const recordsOf = async (log: EventLog, names: readonly string[]): Promise<Record<string, number>> => {
  const records: Record<string, number> = {}
  for (const name of names) records[name] = (await log.extents(name)).reduce((sum, { next }) => sum + next, 0)
  return records
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
