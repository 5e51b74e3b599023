import type { FlipLine, ResolvedBackfillCompleted, RuleChanged } from '@millrace/contracts'
import type { PersonState, RuleDocument } from './documents.ts'
import type { Fold } from './fold.ts'
import type { ProjectContext } from './project-context.ts'
import { type ResolvedRecord, RULES_HOME, ruleRecordsOfOthers } from './records.ts'

const PEOPLE_PER_PAGE = 500

/**
 * A new version waits for its past: memberships stay as they are until its backfill has completed, and then only
 * differences are told. An older or repeated version changes nothing. null deletes: every member leaves.
 */
export const applyRuleChange = async (fold: Fold, line: RuleChanged, { partition, offset }: ResolvedRecord, project: ProjectContext): Promise<void> => {
  const before = fold.rules.get(project.id, line.segment)
  if (before && line.version <= before.version) return
  fold.rules.set(changedRule(before, line, { project: project.id, offset }))
  if (partition === RULES_HOME) ruleRecordsOfOthers(project.id, line).forEach(fold.emit)
  if (line.rule === null) await leaveAll(fold, line, project)
}

const changedRule = (before: RuleDocument | undefined, line: RuleChanged, { project, offset }: { project: number; offset: number }): RuleDocument => ({
  project,
  segment: line.segment,
  version: line.version,
  name: line.name,
  rule: line.rule,
  createdAt: before?.createdAt ?? line.at,
  changedAt: line.at,
  offset,
  state: line.rule === null ? 'deleted' : 'backfilling',
  completed: [],
  members: before?.members ?? 0,
  partial: before?.partial ?? 0,
})

const leaveAll = async (fold: Fold, { segment, version }: RuleChanged, project: ProjectContext): Promise<void> => {
  for await (const page of fold.people.pages(PEOPLE_PER_PAGE)) {
    for (const [id, person] of page) {
      const membership = person.memberships[segment]
      if (person.project !== project.id || !membership) continue
      fold.put(id, without(person, segment))
      if (!membership.in) continue
      const number = membership.number + 1
      const flip: FlipLine = { type: 'flip', segment, version, person: id, flip: 'exited', at: fold.clock, number, cause: 'deleted' }
      fold.emitFlips(project.id, [flip])
    }
    await fold.pause()
  }
}

/** The id of a segment is never given again, so nothing of it needs to be kept. */
const without = (person: PersonState, segment: string): PersonState => {
  const { [segment]: _membership, ...memberships } = person.memberships
  const { [segment]: _due, ...due } = person.due
  return { ...person, memberships, due, partial: person.partial.filter((name) => name !== segment) }
}

/** When the past of all partitions of events.accepted has come, every person is judged once, and the rule is live. */
export const applyCompleted = async (fold: Fold, line: ResolvedBackfillCompleted, project: ProjectContext): Promise<void> => {
  const rule = fold.rules.get(project.id, line.segment)
  if (rule?.version !== line.version || rule.state !== 'backfilling' || rule.completed.includes(line.from)) return
  const completed = [...rule.completed, line.from].sort((a, b) => a - b)
  const isWhole = completed.length >= fold.acceptedPartitions
  fold.rules.set({ ...rule, completed, state: isWhole ? 'live' : 'backfilling' })
  if (!isWhole) return
  for await (const page of fold.people.pages(PEOPLE_PER_PAGE)) {
    for (const [id, person] of page) {
      if (person.project === project.id) fold.judgeAndPut(id, person, project, [line.segment], 'backfill')
    }
    await fold.pause()
  }
}
