import type { Millis, Project, Zone } from '@millrace/contracts'
import type { Batch, Step } from '@millrace/ports'
import type { OwnScope } from '@millrace/service-kit'
import { CLOCK, type ClockDocument, type PersonState } from './documents.ts'
import { timerOf } from './evaluate.ts'
import { createFold, type Fold } from './fold.ts'
import { applyLine, personsOf } from './lines.ts'
import { createPeople } from './people.ts'
import { createProjectContexts, type ProjectContexts } from './project-context.ts'
import { clockWithin, lineClock, readRecord, type ResolvedRecord } from './records.ts'
import { openRuleBook } from './rule-book.ts'
import { withoutStale } from './rules.ts'
import { createStoredTimers, type StoredTimers } from './stored-timers.ts'

export interface PartitionDeps {
  /** @throws when the project is not known (yet): the batch is tried again */
  readonly projectOf: (id: number) => Promise<Project>
  readonly zoneOf: (name: string) => Zone
  readonly peopleCachedMax: number
  readonly peopleBytesMax: number
  readonly acceptedPartitions: number
  /**
   * Timers that fire when the clock is told; the others fire when it is told again, so that no step holds them all.
   * Flips depend on it, so it is the same for every copy and every replay.
   */
  readonly timersPerMoveMax: number
  /** Lets others run between two pages of people or records. */
  readonly pause: () => Promise<void>
}

/** What one partition of events.resolved has made so far, and the way to add a batch to it. */
export interface Partition {
  handle(batch: Batch): Promise<Outcome>
  readonly clock: () => Millis
}
export interface Outcome {
  readonly step: Step
  /** Earliest of the timers that the batch set, for the watch over them. */
  readonly earliestTimer: Millis | null
  readonly rulesChanged: boolean
}

const LINES_BETWEEN_PAUSES = 2_000
const TIMERS_BETWEEN_PAUSES = 1_000

/** Loads clock and rules of the partition; people are loaded as they are met. */
export const openPartition = async (deps: PartitionDeps, scope: OwnScope): Promise<Partition> => {
  const [stored] = (await scope.get([CLOCK])) as [ClockDocument | undefined]
  const rules = await openRuleBook(scope)
  const contexts = createProjectContexts(deps.projectOf, deps.zoneOf)
  const freshOf = (person: PersonState): PersonState => {
    const project = contexts.known(person.project)
    return project ? withoutStale(person, rules.of(project)) : person
  }
  const people = createPeople(scope, { peopleMax: deps.peopleCachedMax, bytesMax: deps.peopleBytesMax }, freshOf)

  /** Of the batch at hand: the timers that it may fire, those up to `horizon`. */
  let timers: StoredTimers
  let horizon: Millis = 0
  let earliestTimer: Millis | null = null
  const onTimer = (at: Millis, id: string): void => {
    if (at <= horizon) timers.add(at, id)
    if (earliestTimer === null || at < earliestTimer) earliestTimer = at
  }
  const { pause, acceptedPartitions } = deps
  const fold = createFold({ clock: stored?.at ?? 0, people, rules, pause, acceptedPartitions, onTimer })

  const prepare = async (records: readonly ResolvedRecord[]): Promise<void> => {
    for (const { project } of records) await contexts.of(project)
    earliestTimer = null
    horizon = records.reduce((latest, record) => Math.max(latest, clockWithin(record)), fold.clock)
    timers = createStoredTimers(scope, horizon, people.load)
    await timers.read()
    await people.load(records.flatMap(({ lines }) => lines.flatMap(personsOf)))
  }
  const handle = async (batch: Batch): Promise<Outcome> => {
    const records = batch.records.map(readRecord)
    const clockBefore = fold.clock
    await prepare(records)
    const advance = (to: Millis): Promise<void> => advanceClock(fold, to, { timers, contexts, firedMax: deps.timersPerMoveMax })
    let lines = 0
    for (const record of records) {
      const context = await contexts.of(record.project)
      await advance(record.receivedAt)
      for (const line of record.lines) {
        await advance(lineClock(line))
        await applyLine(fold, line, record, context)
        if (++lines % LINES_BETWEEN_PAUSES === 0) await pause()
      }
    }
    const outputs = fold.takeOutputs()
    const writes = people.flush()
    const changes = rules.takeChanges()
    const clockPut: readonly (readonly [string, unknown])[] = fold.clock === clockBefore ? [] : [[CLOCK, { at: fold.clock }]]
    const state = { scope: scope.name, watermark: batch.end, ...writes, puts: [...writes.puts, ...changes.puts, ...clockPut] }
    return { step: { outputs, state }, earliestTimer, rulesChanged: changes.rulesChanged }
  }
  return { handle, clock: () => fold.clock }
}

interface Due {
  readonly timers: StoredTimers
  readonly contexts: ProjectContexts
  readonly firedMax: number
}

/** Fires what is due, in the order (due, person), at the clock that has been read. */
const advanceClock = async (fold: Fold, to: Millis, { timers, contexts, firedMax }: Due): Promise<void> => {
  if (to === 0) return
  fold.clock = Math.max(fold.clock, to)
  for (let fired = 0; fired < firedMax; ) {
    const next = await timers.take(fold.clock)
    if (!next) return
    const person = fold.people.get(next.person)
    // A timer that was set anew, or cleared, leaves its old entry behind.
    if (!person || timerOf(person) !== next.at) continue
    await fire(fold, contexts, next.person, person)
    if (++fired % TIMERS_BETWEEN_PAUSES === 0) await fold.pause()
  }
}

const fire = async (fold: Fold, contexts: ProjectContexts, id: string, person: PersonState): Promise<void> => {
  const segments = Object.keys(person.due).filter((segment) => person.due[segment]! <= fold.clock)
  const context = await contexts.of(person.project)
  const { live } = fold.rules.of(context)
  const kept = Object.fromEntries(Object.entries(person.due).filter(([segment]) => live.has(segment)))
  fold.judgeAndPut(id, { ...person, due: kept }, context, segments, 'time')
}
