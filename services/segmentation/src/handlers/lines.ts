import { isNobody, type ResolvedLine } from '@millrace/contracts'
import { applyToPerson, type PersonLine } from './apply.ts'
import { newPerson } from './documents.ts'
import type { Fold } from './fold.ts'
import type { ProjectContext } from './project-context.ts'
import { movedRecord, type ResolvedRecord } from './records.ts'
import { applyCompleted, applyRuleChange } from './rule-lines.ts'

/** Applies one line; the clock that it brings has been read before. */
export const applyLine = async (fold: Fold, line: ResolvedLine, record: ResolvedRecord, project: ProjectContext): Promise<void> => {
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
  const applied = applyToPerson(before, line, { ...project, origins: record.origins, rules: fold.rules.of(project), clock: fold.clock })
  if (!applied) return
  for (const moved of applied.moved) fold.emit(movedRecord(project.id, moved))
  fold.judgeAndPut(line.person, applied.person, project, applied.judge, applied.cause)
}

/** Whose document a line needs. Nobody's events and the states of the other consumer need none. */
export const personsOf = (line: ResolvedLine): readonly string[] => {
  if (!('person' in line) || ('key' in line && isNobody(line.key))) return []
  return line.type === 'number.moved' && line.for !== 'segmentation' ? [] : [line.person]
}
