import { partitionOfPerson, ProblemError, type Project, topics } from '@millrace/contracts'
import { isHeld } from '@millrace/identity'
import { explain, nextFlip } from '@millrace/segments'
import { CLOCK, type ClockDocument, personKey, type PersonState, type RuleDocument, ruleKey, scopeOf } from '../handlers/documents.ts'
import { NEVER, subjectOf } from '../handlers/evaluate.ts'
import type { SharedDeps } from '../service.ts'
import { definitionOf, iso, parsedRule } from './answers.ts'
import type { SegmentView } from './rules-store.ts'

/** Why a person is in a segment or not, at the clock of the person's partition. @throws PERSON_NOT_FOUND */
export const explainPerson = async ({ hot, zoneOf }: Pick<SharedDeps, 'hot' | 'zoneOf'>, project: Project, view: SegmentView, personId: string) => {
  const { segment, version } = view.document
  const scope = scopeOf(partitionOfPerson(personId, topics.resolved.partitions))
  const documents = await hot.get(scope, [personKey(personId), CLOCK, ruleKey(project.id, segment)])
  const [person, clock, own] = documents as [PersonState | undefined, ClockDocument | undefined, RuleDocument | undefined]
  const rule = parsedRule(view, project)
  if (!person || person.project !== project.id || Object.keys(person.slots).length === 0 || !rule) throw new ProblemError('PERSON_NOT_FOUND')
  const at = clock?.at ?? 0
  const subject = subjectOf(person, { segment, version, rule }, zoneOf(project.zone).dayNumber)
  const membership = person.memberships[segment] ?? NEVER
  const next = nextFlip(rule, subject, at)
  return {
    segment,
    version,
    personId,
    in: membership.in,
    enteredAt: membership.in ? iso(membership.at) : null,
    flips: membership.number,
    state: own?.version === version && own.state === 'live' ? 'live' : 'backfilling',
    /** True: a past of this person is on its way, and the membership waits for it. */
    held: isHeld(person),
    exact: !person.partial.includes(segment),
    explanation: explain(rule, subject, at),
    nextFlipAt: next === null ? null : iso(next),
    definition: definitionOf(project, rule, at),
  }
}
