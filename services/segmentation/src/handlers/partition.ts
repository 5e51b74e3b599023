import { type DecodeSettings, type FlipCause, type FlipLine, isNobody, type Millis, type Project, type ResolvedLine, type Zone } from '@millrace/contracts'
import type { Batch, NewRecord, Step } from '@millrace/ports'
import type { DayOf } from '@millrace/segments'
import type { OwnScope } from '@millrace/service-kit'
import { CLOCK, type ClockDocument, newPerson, type PersonState, type RuleDocument, ruleKey, RULES } from './documents.ts'
import { storedRules } from './stored-rules.ts'
import { createStoredTimers, type StoredTimers } from './stored-timers.ts'
import { judge, timerOf } from './evaluate.ts'
import { applyToPerson, type PersonLine } from './apply.ts'
import { createPeople, type People } from './people.ts'
import { clockWithin, flipRecords, lineClock, movedRecord, readRecord, type ResolvedRecord } from './records.ts'
import { applyCompleted, applyRuleChange } from './rule-lines.ts'
import { compileRules, type ProjectRules, withoutStale } from './rules.ts'

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

interface ProjectContext {
  readonly id: number
  readonly settings: DecodeSettings
  readonly currency: string
  readonly dayOf: DayOf
}

/** What a batch works on; the documents themselves are in `people`. */
export interface Fold {
  clock: Millis
  readonly people: People
  readonly rules: Map<number, Map<string, RuleDocument>>
  readonly rulesOf: (project: ProjectContext) => ProjectRules
  readonly put: (id: string, person: PersonState) => void
  readonly judgeAndPut: (id: string, person: PersonState, project: ProjectContext, scope: readonly string[] | 'all', cause: FlipCause) => void
  readonly emitFlips: (project: number, flips: readonly FlipLine[]) => void
  readonly setRule: (document: RuleDocument) => void
  readonly emit: (record: NewRecord) => void
  readonly pause: () => Promise<void>
  readonly acceptedPartitions: number
}
export type { ProjectContext }

const LINES_BETWEEN_PAUSES = 2_000
const TIMERS_BETWEEN_PAUSES = 1_000

/** Loads clock and rules of the partition; people are loaded as they are met. */
export const openPartition = async (deps: PartitionDeps, scope: OwnScope): Promise<Partition> => {
  const [stored] = (await scope.get([CLOCK])) as [ClockDocument | undefined]
  const rules = await loadRules(scope)
  const compiled = new Map<number, ProjectRules>()
  const contexts = new Map<number, ProjectContext>()
  const currencies = new Map<number, string>()

  const contextOf = async (id: number): Promise<ProjectContext> => {
    const known = contexts.get(id)
    if (known) return known
    const project = await deps.projectOf(id)
    const context = { id, settings: project, currency: project.currency, dayOf: deps.zoneOf(project.zone).dayNumber }
    currencies.set(id, project.currency)
    contexts.set(id, context)
    return context
  }
  const rulesOf = ({ id, currency }: Pick<ProjectContext, 'id' | 'currency'>): ProjectRules => {
    const known = compiled.get(id) ?? compileRules([...(rules.get(id)?.values() ?? [])], currency)
    compiled.set(id, known)
    return known
  }
  const freshOf = (person: PersonState): PersonState => {
    const currency = currencies.get(person.project)
    return currency === undefined ? person : withoutStale(person, rulesOf({ id: person.project, currency }))
  }
  const people = createPeople(scope, { peopleMax: deps.peopleCachedMax, bytesMax: deps.peopleBytesMax }, freshOf)

  /** State of the batch at hand. */
  let timers: StoredTimers
  let outputs: NewRecord[] = []
  let flips = new Map<number, FlipLine[]>()
  let dirtyRules = new Set<string>()
  let horizon: Millis = 0
  let earliestTimer: Millis | null = null
  let rulesChanged = false

  const setRule = (document: RuleDocument): void => {
    const ofProject = rules.get(document.project) ?? new Map<string, RuleDocument>()
    rules.set(document.project, ofProject)
    const before = ofProject.get(document.segment)
    ofProject.set(document.segment, document)
    dirtyRules.add(`${document.project}/${document.segment}`)
    if (before?.version === document.version && before.state === document.state) return
    compiled.delete(document.project)
    rulesChanged = true
  }
  const adjust = (project: number, segment: string, change: Partial<Record<'members' | 'partial', number>>): void => {
    const document = rules.get(project)?.get(segment)
    if (document) setRule({ ...document, members: document.members + (change.members ?? 0), partial: document.partial + (change.partial ?? 0) })
  }
  const emitFlips = (project: number, made: readonly FlipLine[]): void => {
    if (made.length === 0) return
    const there = flips.get(project)
    if (there) there.push(...made)
    else flips.set(project, [...made])
    for (const { segment, flip } of made) adjust(project, segment, { members: flip === 'entered' ? 1 : -1 })
  }
  const put = (id: string, person: PersonState): void => {
    const before = people.get(id)
    people.put(id, person)
    const at = timerOf(person)
    if (at === null || (before && timerOf(before) === at)) return
    if (at <= horizon) timers.add(at, id)
    if (earliestTimer === null || at < earliestTimer) earliestTimer = at
  }
  const fold: Fold = {
    clock: stored?.at ?? 0,
    people,
    rules,
    rulesOf,
    put,
    setRule,
    emitFlips,
    emit: (record) => void outputs.push(record),
    pause: deps.pause,
    acceptedPartitions: deps.acceptedPartitions,
    judgeAndPut: (id, person, project, which, cause) => {
      const { live } = rulesOf(project)
      const chosen = which === 'all' ? live.values() : which.flatMap((segment) => live.get(segment) ?? [])
      const judged = judge(id, person, chosen, { clock: fold.clock, cause, dayOf: project.dayOf })
      const stored = people.get(id)
      if (judged.person === stored) return
      const before = stored?.partial ?? person.partial
      put(id, judged.person)
      emitFlips(project.id, judged.flips)
      if (judged.person.partial !== before) countPartial(project.id, before, judged.person.partial)
    },
  }
  const countPartial = (project: number, before: readonly string[], after: readonly string[]): void => {
    for (const segment of after) if (!before.includes(segment)) adjust(project, segment, { partial: 1 })
    for (const segment of before) if (!after.includes(segment)) adjust(project, segment, { partial: -1 })
  }

  /** Fires what is due, in the order (due, person), at the clock that has been read. */
  const advance = async (to: Millis): Promise<void> => {
    if (to === 0) return
    fold.clock = Math.max(fold.clock, to)
    for (let fired = 0; fired < deps.timersPerMoveMax;) {
      const next = await timers.take(fold.clock)
      if (!next) return
      const person = people.get(next.person)
      // A timer that was set anew, or cleared, leaves its old entry behind.
      if (!person || timerOf(person) !== next.at) continue
      await fire(next.person, person)
      if (++fired % TIMERS_BETWEEN_PAUSES === 0) await deps.pause()
    }
  }
  const fire = async (id: string, person: PersonState): Promise<void> => {
    const segments = Object.keys(person.due).filter((segment) => person.due[segment]! <= fold.clock)
    const context = await contextOf(person.project)
    const { live } = rulesOf(context)
    const kept = Object.fromEntries(Object.entries(person.due).filter(([segment]) => live.has(segment)))
    fold.judgeAndPut(id, { ...person, due: kept }, context, segments, 'time')
  }

  const prepare = async (records: readonly ResolvedRecord[]): Promise<void> => {
    for (const { project } of records) await contextOf(project)
    horizon = records.reduce((latest, record) => Math.max(latest, clockWithin(record)), fold.clock)
    timers = createStoredTimers(scope, horizon, people.load)
    await timers.read()
    await people.load(records.flatMap(({ lines }) => lines.flatMap(personsOf)))
  }

  const handle = async (batch: Batch): Promise<Outcome> => {
    ;[outputs, flips, dirtyRules, earliestTimer, rulesChanged] = [[], new Map(), new Set(), null, false]
    const records = batch.records.map(readRecord)
    const clockBefore = fold.clock
    await prepare(records)
    let lines = 0
    for (const record of records) {
      const context = await contextOf(record.project)
      await advance(record.receivedAt)
      for (const line of record.lines) {
        await advance(lineClock(line))
        await applyLine(fold, line, record, context)
        if (++lines % LINES_BETWEEN_PAUSES === 0) await deps.pause()
      }
    }
    for (const [project, made] of flips) outputs.push(...flipRecords(project, made))
    const writes = people.flush()
    const rulePuts = [...dirtyRules].map((name): readonly [string, unknown] => {
      const [project, segment] = [Number(name.slice(0, name.indexOf('/'))), name.slice(name.indexOf('/') + 1)]
      return [ruleKey(project, segment), rules.get(project)!.get(segment)]
    })
    const clockPut: readonly (readonly [string, unknown])[] = fold.clock === clockBefore ? [] : [[CLOCK, { at: fold.clock }]]
    const state = { scope: scope.name, watermark: batch.end, ...writes, puts: [...writes.puts, ...rulePuts, ...clockPut] }
    return { step: { outputs, state }, earliestTimer, rulesChanged }
  }
  return { handle, clock: () => fold.clock }
}

const loadRules = async (scope: OwnScope): Promise<Fold['rules']> => {
  const rules: Fold['rules'] = new Map()
  for (const rule of await storedRules(scope.scan, RULES)) {
    const ofProject = rules.get(rule.project) ?? new Map<string, RuleDocument>()
    rules.set(rule.project, ofProject.set(rule.segment, rule))
  }
  return rules
}

/** Whose document a line needs. Nobody's events and the states of the other consumer need none. */
const personsOf = (line: ResolvedLine): readonly string[] => {
  if (!('person' in line) || ('key' in line && isNobody(line.key))) return []
  return line.type === 'number.moved' && line.for !== 'segmentation' ? [] : [line.person]
}

const applyLine = async (fold: Fold, line: ResolvedLine, record: ResolvedRecord, project: ProjectContext): Promise<void> => {
  switch (line.type) {
    case 'clock.advanced':
      return
    case 'rule.changed':
      return applyRuleChange(fold, line, record, project)
    case 'backfill.completed':
      return applyCompleted(fold, line, project)
    default:
      return applyPersonLine(fold, line, record, project)
  }
}

const applyPersonLine = (fold: Fold, line: PersonLine, record: ResolvedRecord, project: ProjectContext): void => {
  if (personsOf(line).length === 0) return
  const before = fold.people.get(line.person) ?? newPerson(project.id)
  const applied = applyToPerson(before, line, { ...project, origins: record.origins, rules: fold.rulesOf(project), clock: fold.clock })
  if (!applied) return
  for (const moved of applied.moved) fold.emit(movedRecord(project.id, moved))
  fold.judgeAndPut(line.person, applied.person, project, applied.judge, applied.cause)
}
