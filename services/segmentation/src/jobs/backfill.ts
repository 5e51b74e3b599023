import {
  type BackfillCompleted, type DidLeaf, encodeRecord, homeOf, keyOf, leavesOf, type Project, shardOfNumber, type StateBackfilled, topics, USER, ANONYMOUS, type AcceptedControl,
} from '@millrace/contracts'
import type { Clock, ColumnStore, EventLog, HotStore, NewRecord } from '@millrace/ports'
import { type BackfillRow, backfillSql, type Dialect, type LeafState, stateOfRow } from '@millrace/segments'
import type { Logger } from '@millrace/service-kit'
import { type RuleDocument, ruleKey, RULES, scopeOf } from '../handlers/documents.ts'
import { ruleOf } from '../handlers/rules.ts'
import { storedRules } from '../handlers/stored-rules.ts'

export interface BackfillDeps {
  readonly log: EventLog
  readonly hot: HotStore
  readonly columns: ColumnStore
  readonly clock: Clock
  readonly logger: Logger
  readonly dialect: Dialect
  readonly projectOf: (id: number) => Promise<Project>
  readonly probe: (point: string) => void
  readonly numbersPerPage: number
  readonly pollMs: number
}

/** Computes the past of new rules. Runs where partition 0 is consumed, so that one copy does it. */
export interface BackfillJob {
  /** A rule may have come: look for work, unless that is going on already. */
  kick(): void
  stop(): Promise<void>
}

const SCOPE = 'segmentation-backfill'
const LINES_PER_RECORD = 500

/** How far a backfill has come; every step may be done again after a crash, since a past is set and not added. */
interface Progress {
  readonly numberFrom: number
  readonly done: boolean
}

class Abandoned extends Error {}

export const createBackfillJob = (deps: BackfillDeps): BackfillJob => {
  let stopped = false
  let again = false
  let running: Promise<void> | undefined
  let wakeUp = (): void => {}

  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const cancel = deps.clock.after(ms, resolve)
      wakeUp = () => {
        cancel()
        resolve()
      }
    })
  const goOn = (): void => {
    if (stopped) throw new Abandoned()
  }
  const untilTrue = async (isTrue: () => Promise<boolean>): Promise<void> => {
    for (;;) {
      goOn()
      if (await isTrue()) return
      await wait(deps.pollMs)
    }
  }
  /** Tries again until it works: a rule that is never backfilled would never be live. */
  const insist = async <Result>(what: string, act: () => Promise<Result>): Promise<Result> => {
    for (;;) {
      goOn()
      try {
        return await act()
      } catch (error) {
        if (error instanceof Abandoned) throw error
        deps.logger.warn({ event: 'backfill.retried', step: what, err: error }, 'a step of a backfill failed, will retry')
        await wait(deps.pollMs)
      }
    }
  }
  const runAll = async (): Promise<void> => {
    const steps: Steps = { goOn, untilTrue, insist }
    do {
      again = false
      const rules = await insist('look', () => rulesToBackfill(deps))
      for (const rule of rules) await insist('backfill', () => backfill(deps, rule, steps))
    } while (again)
  }
  const kick = (): void => {
    again = true
    if (running || stopped) return
    running = runAll()
      .catch((error: unknown) => {
        if (!(error instanceof Abandoned)) deps.logger.error({ event: 'backfill.failed', err: error })
      })
      .finally(() => {
        running = undefined
        // A rule may have come between the last look and here.
        if (again) kick()
      })
  }
  return {
    kick,
    stop: async () => {
      stopped = true
      wakeUp()
      await running
    },
  }
}

interface Steps {
  readonly goOn: () => void
  readonly untilTrue: (isTrue: () => Promise<boolean>) => Promise<void>
  readonly insist: <Result>(what: string, act: () => Promise<Result>) => Promise<Result>
}

const rulesToBackfill = async ({ hot }: BackfillDeps): Promise<readonly RuleDocument[]> => {
  const rules = await storedRules((options) => hot.scan(scopeOf(0), options), RULES)
  const waiting = rules.filter(({ state }) => state === 'backfilling')
  const progress = await hot.get(SCOPE, waiting.map(progressKey))
  return waiting.filter((_rule, index) => !(progress[index] as Progress | undefined)?.done)
}

const progressKey = ({ project, segment, version }: Pick<RuleDocument, 'project' | 'segment' | 'version'>): string => `${project}/${segment}@${version}`

const backfill = async (deps: BackfillDeps, rule: RuleDocument, steps: Steps): Promise<void> => {
  const [stored] = (await steps.insist('progress', () => deps.hot.get(SCOPE, [progressKey(rule)]))) as [Progress | undefined]
  const project = await steps.insist('project', () => deps.projectOf(rule.project))
  const leaves = leavesOf(ruleOf(rule.rule, project.currency) ?? { kind: 'all', of: [] }).filter((leaf) => leaf.kind === 'did')
  if (leaves.length > 0) {
    const upTo = await offsetsOfRule(deps, rule, steps)
    if (upTo === null) return
    await steps.untilTrue(() => steps.insist('wait', () => isStored(deps, upTo)))
    deps.probe('backfill.stored')
    await sendStates(deps, { rule, leaves, upTo }, stored?.numberFrom ?? 0, steps)
  }
  await steps.insist('complete', () => deps.log.append(completions(rule)))
  deps.probe('backfill.completed')
  await steps.insist('progress', () => deps.hot.update(SCOPE, progressKey(rule), () => ({ numberFrom: 0, done: true }) satisfies Progress))
  deps.logger.info({ event: 'backfill.completed', project: rule.project, segment: rule.segment, version: rule.version })
}

/** Where each partition read the rule; null when another version has come meanwhile. */
const offsetsOfRule = async (deps: BackfillDeps, rule: RuleDocument, steps: Steps): Promise<readonly number[] | null> => {
  const offsets: number[] = []
  for (let partition = 0; partition < topics.resolved.partitions; partition++) {
    let found: RuleDocument | undefined
    await steps.untilTrue(async () => {
      const [document] = await steps.insist('offsets', () => deps.hot.get(scopeOf(partition), [ruleKey(rule.project, rule.segment)]))
      found = document as RuleDocument | undefined
      return found !== undefined && found.version >= rule.version
    })
    if (found!.version > rule.version) return null
    offsets.push(found!.offset)
  }
  return offsets
}

/** All events before the rule are in the warehouse when the sink has stored beyond the rule's own record. */
const isStored = async ({ log }: BackfillDeps, upTo: readonly number[]): Promise<boolean> => {
  for (const [partition, offset] of upTo.entries()) {
    if ((await log.committed('sink', topics.resolved.name, partition)).offset <= offset) return false
  }
  return true
}

interface Past {
  readonly rule: RuleDocument
  readonly leaves: readonly DidLeaf[]
  readonly upTo: readonly number[]
}

const sendStates = async (deps: BackfillDeps, past: Past, from: number, steps: Steps): Promise<void> => {
  const { project } = past.rule
  const last = await steps.insist('numbers', () => lastNumber(deps, project))
  for (let numberFrom = from; numberFrom <= last; numberFrom += deps.numbersPerPage) {
    const states = await steps.insist('page', () => pageOf(deps, past, numberFrom))
    deps.probe('backfill.page')
    for (const records of recordsOf(past.rule, states)) await steps.insist('append', () => deps.log.append(records))
    deps.probe('backfill.appended')
    const progress: Progress = { numberFrom: numberFrom + deps.numbersPerPage, done: false }
    await steps.insist('progress', () => deps.hot.update(SCOPE, progressKey(past.rule), () => progress))
  }
}

const lastNumber = async ({ columns, dialect }: BackfillDeps, project: number): Promise<number> => {
  const sql = `SELECT max(number) AS last FROM millrace_store.events WHERE project = ${dialect.integer(project)} AND NOT nobody`
  const [row] = await columns.query<{ last: number | string }>(sql)
  return Number(row?.last ?? 0)
}

const pageOf = async ({ columns, dialect, numbersPerPage }: BackfillDeps, { rule, leaves, upTo }: Past, numberFrom: number) => {
  const states = new Map<number, { key: string; leaves: Record<string, LeafState> }>()
  const page = { project: rule.project, clock: rule.changedAt, upTo, numberFrom, numberBelow: numberFrom + numbersPerPage }
  for (const leaf of leaves) {
    for (const row of await columns.query<BackfillRow>(backfillSql(dialect, leaf, page))) {
      const number = Number(row.number)
      const state = states.get(number) ?? { key: keyOfRow(row), leaves: {} }
      state.leaves[leaf.id] = stateOfRow(leaf, row)
      states.set(number, state)
    }
  }
  return states
}

/** A number's events are all filed under one key: the user id when there is one. */
const keyOfRow = (row: BackfillRow): string =>
  row.user_id !== '' ? keyOf(USER, row.user_id) : keyOf(ANONYMOUS, row.anonymous_id)

function* recordsOf(rule: RuleDocument, states: Awaited<ReturnType<typeof pageOf>>): Iterable<readonly NewRecord[]> {
  const lines = new Map<number, StateBackfilled[]>()
  for (const [number, { key, leaves }] of states) {
    const home = homeOf(shardOfNumber(number), topics.accepted.partitions)
    const line: StateBackfilled = { type: 'state.backfilled', key, number, segment: rule.segment, version: rule.version, leaves }
    lines.set(home, [...(lines.get(home) ?? []), line])
    if (lines.get(home)!.length < LINES_PER_RECORD) continue
    yield [controlRecord(rule.project, home, lines.get(home)!)]
    lines.delete(home)
  }
  if (lines.size > 0) yield [...lines].map(([home, some]) => controlRecord(rule.project, home, some))
}

const completions = ({ project, segment, version }: RuleDocument): readonly NewRecord[] => {
  const line: BackfillCompleted = { type: 'backfill.completed', segment, version }
  return Array.from({ length: topics.accepted.partitions }, (_, partition) => controlRecord(project, partition, [line]))
}

const controlRecord = (project: number, partition: number, lines: readonly AcceptedControl[]): NewRecord => ({
  topic: topics.accepted.name,
  partition,
  value: encodeRecord({ kind: 'control', project, count: 0, origins: [] }, lines.map((line) => JSON.stringify(line))),
})
