import type { FlipLine, Place, RuleChanged } from '@millrace/contracts'
import { jsonRow, timeText } from './json.ts'

/** One row of `millrace_store.flips`. */
export const flipRow = (project: number, line: FlipLine, place: Place): string =>
  jsonRow({
    project,
    segment: line.segment,
    version: line.version,
    person: line.person,
    flip: line.flip,
    at: timeText(line.at),
    number: line.number,
    cause: line.cause,
    _partition: place[0],
    _offset: place[1],
    _index: place[2],
  })

/** One row of `millrace_store.rules`, from the lines of one partition of events.resolved (each has them all). */
export const ruleRow = (project: number, line: RuleChanged): string =>
  jsonRow({
    project,
    segment: line.segment,
    version: line.version,
    name: line.name,
    rule: line.rule === null ? '' : JSON.stringify(line.rule),
    deleted: line.rule === null,
    at: timeText(line.at),
  })
