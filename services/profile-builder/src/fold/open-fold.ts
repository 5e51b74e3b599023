import type { DecodeSettings } from '@millrace/contracts'
import type { Assignment, Batch, HotStore, PartitionConsumer, StateWrite, Step } from '@millrace/ports'
import { openOwnScope, type OwnScope } from '@millrace/service-kit'
import type { PartitionSnapshots } from '../snapshots/snapshots.ts'
import { applyRecord, newWork, type FoldWork } from './apply.ts'
import { createPeopleCache, type PeopleCache } from './people-cache.ts'
import { CLOCK, foldScope, isEmptied, personKey, type ProfileDocument } from './documents.ts'
import { type FoldRecord, personOf, readRecord } from './lines.ts'
import { movedRecords } from './outputs.ts'

export interface FoldDeps {
  readonly hot: HotStore
  /** Of a project that the log names. @throws when there is none: the partition is opened again */
  readonly settingsOf: (project: number) => Promise<DecodeSettings>
  readonly openSnapshots: (partition: number, watermark: number) => Promise<PartitionSnapshots>
  /** What was folded, for /metrics; silent replays are not told. */
  readonly onFolded?: (lines: number, moved: number) => void
  /** Called at named points, for tests that end the process there. */
  readonly probe?: (point: string) => void
}

export interface FoldConfig {
  readonly cacheBytesMax: number
}

/** The one writer of profiles: events.resolved → documents of scope `fold:<partition>`, and states that move on. */
export const openFold = (deps: FoldDeps, config: FoldConfig) => async (assignment: Assignment): Promise<PartitionConsumer> => {
  const { partition } = assignment
  const scope = await openOwnScope(deps.hot, foldScope(partition), assignment)
  const [told] = (await scope.get([CLOCK])) as [{ at: number } | undefined]
  const cache = createPeopleCache(config.cacheBytesMax)
  const snapshots = await deps.openSnapshots(partition, scope.from)
  let clock = told?.at ?? 0
  let handed: FoldWork | undefined

  const handle = async (batch: Batch): Promise<Step> => {
    await snapshots.room()
    const records = batch.records.map(readRecord)
    const work = newWork(await load(scope, cache, records), clock)
    for (const record of records) applyRecord(work, record, await deps.settingsOf(record.header.project))
    const state = stateOf(scope.name, batch.end, work)
    const outputs = movedRecords(work.moved)
    for (const [key, document] of work.after) cache.set(key, isEmptied(document) ? null : document)
    clock = work.clock
    handed = work
    if (!batch.replayed) deps.onFolded?.(countOf(records.map(({ lines }) => lines.length)), countOf([...work.moved.values()].map(({ length }) => length)))
    deps.probe?.('fold.handled')
    return { outputs, state }
  }

  return {
    from: scope.from,
    scope: scope.name,
    handle,
    stored: (batch) => {
      scope.stored(batch.end)
      if (handed) snapshots.changed(handed.after, batch.end)
      handed = undefined
      deps.probe?.('fold.stored')
    },
    close: () => snapshots.close(),
  }
}

const countOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0)

const load = async (
  scope: OwnScope, cache: PeopleCache, records: readonly FoldRecord[],
): Promise<ReadonlyMap<string, ProfileDocument>> => {
  const found = new Map<string, ProfileDocument>()
  const missing = new Set<string>()
  const seen = new Set<string>()
  for (const { header, lines } of records) {
    for (const line of lines) {
      const key = personKey(header.project, personOf(line))
      if (seen.has(key)) continue
      seen.add(key)
      const document = cache.get(key)
      if (document === undefined) missing.add(key)
      else if (document) found.set(key, document)
    }
  }
  if (missing.size === 0) return found
  const keys = [...missing]
  const documents = await scope.get(keys)
  keys.forEach((key, at) => {
    const document = documents[at] as ProfileDocument | undefined
    if (document) found.set(key, document)
  })
  return found
}

/** An emptied document goes: a number that comes back brings its state with it. */
const stateOf = (scope: string, watermark: number, work: FoldWork): StateWrite => {
  const puts: [string, unknown][] = [[CLOCK, { at: work.clock }]]
  const deletes: string[] = []
  for (const [key, document] of work.after) {
    if (isEmptied(document)) deletes.push(key)
    else puts.push([key, document])
  }
  return { scope, watermark, puts, deletes, timers: [] }
}
