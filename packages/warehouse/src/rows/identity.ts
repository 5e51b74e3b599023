import { keyOf, personIdOf, typeOf, valueOf, type MapLine } from '@millrace/contracts'
import { jsonRow, timeText } from './json.ts'

type Mapped = Extract<MapLine, { type: 'number.mapped' }>
type Link = Exclude<MapLine, Mapped>

/** One row of `millrace_store.numbers`. `moved`: the number's person is not the one that its own key makes. */
export const numberRow = (project: number, line: Mapped): string => {
  const type = typeOf(line.key)
  const value = valueOf(line.key)
  return jsonRow({
    project,
    number: line.number,
    key_type: type,
    key_value: value,
    person_id: line.person,
    person_number: line.personNumber,
    moved: line.personNumber !== line.number || line.person !== personIdOf(project, keyOf(type, value)),
    linked_at: timeText(line.linkedAt),
    version: line.version,
  })
}

/** One row of `millrace_store.refused_links`. */
export const refusedLinkRow = (project: number, line: Link): string =>
  jsonRow({
    project,
    a: line.a,
    b: line.b,
    reason: line.type === 'link.refused' ? line.reason : '',
    restored: line.type === 'link.restored',
    version: line.version,
  })
