import type { FlipCause, FlipLine, Millis } from '@millrace/contracts'
import type { NewRecord } from '@millrace/ports'
import type { PersonState } from './documents.ts'
import { judge, timerOf } from './evaluate.ts'
import type { People } from './people.ts'
import type { ProjectContext } from './project-context.ts'
import { flipRecords } from './records.ts'
import type { RuleBook } from './rule-book.ts'

/** What the lines of a batch work on; the documents themselves are in `people` and `rules`. */
export interface Fold {
  clock: Millis
  readonly people: People
  readonly rules: RuleBook
  readonly put: (id: string, person: PersonState) => void
  readonly judgeAndPut: (id: string, person: PersonState, project: ProjectContext, scope: readonly string[] | 'all', cause: FlipCause) => void
  readonly emitFlips: (project: number, flips: readonly FlipLine[]) => void
  readonly emit: (record: NewRecord) => void
  /** What was emitted since the last call: single records in their order, then the flips of each project. */
  readonly takeOutputs: () => readonly NewRecord[]
  readonly pause: () => Promise<void>
  readonly acceptedPartitions: number
}

export interface FoldDeps extends Pick<Fold, 'clock' | 'people' | 'rules' | 'pause' | 'acceptedPartitions'> {
  /** A person got another timer. */
  readonly onTimer: (at: Millis, id: string) => void
}

export const createFold = ({ onTimer, ...deps }: FoldDeps): Fold => {
  const { people, rules } = deps
  let outputs: NewRecord[] = []
  let flips = new Map<number, FlipLine[]>()

  const emitFlips = (project: number, made: readonly FlipLine[]): void => {
    if (made.length === 0) return
    const there = flips.get(project)
    if (there) there.push(...made)
    else flips.set(project, [...made])
    for (const { segment, flip } of made) rules.count(project, segment, { members: flip === 'entered' ? 1 : -1 })
  }
  const put = (id: string, person: PersonState): void => {
    const before = people.get(id)
    people.put(id, person)
    const at = timerOf(person)
    if (at !== null && !(before && timerOf(before) === at)) onTimer(at, id)
  }
  const fold: Fold = {
    ...deps,
    put,
    emitFlips,
    emit: (record) => void outputs.push(record),
    judgeAndPut: (id, person, project, which, cause) => {
      const { live } = rules.of(project)
      const chosen = which === 'all' ? live.values() : which.flatMap((segment) => live.get(segment) ?? [])
      const judged = judge(id, person, chosen, { clock: fold.clock, cause, dayOf: project.dayOf })
      const stored = people.get(id)
      if (judged.person === stored) return
      const before = stored?.partial ?? person.partial
      put(id, judged.person)
      emitFlips(project.id, judged.flips)
      if (judged.person.partial !== before) countPartial(rules, project.id, before, judged.person.partial)
    },
    takeOutputs: () => {
      const taken = [...outputs, ...[...flips].flatMap(([project, made]) => flipRecords(project, made))]
      outputs = []
      flips = new Map()
      return taken
    },
  }
  return fold
}

const countPartial = (rules: RuleBook, project: number, before: readonly string[], after: readonly string[]): void => {
  for (const segment of after) if (!before.includes(segment)) rules.count(project, segment, { partial: 1 })
  for (const segment of before) if (!after.includes(segment)) rules.count(project, segment, { partial: -1 })
}
