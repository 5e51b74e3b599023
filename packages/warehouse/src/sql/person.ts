/**
 * A number's person is applied by queries, so that a merge changes all answers at once and rewrites no event.
 * `person_delta` holds the placements since the base was read (it is small and read again after each change),
 * `person_base` those of all keys that moved; a number in neither is its own person.
 */
export interface PersonColumns {
  readonly project?: string
  readonly number?: string
  /** The person that the number's own key makes, for numbers that never moved. */
  readonly filed?: string
}

const DELTA = "'millrace_store.person_delta'"
const BASE = "'millrace_store.person_base'"

const keySql = (project: string, number: string): string =>
  `bitOr(bitShiftLeft(toUInt64(${project}), 32), toUInt64(${number}))`

/** SQL of the dense number (UInt32) that stands for the person of `number` today. */
export const personNumberSql = ({ project = 'project', number = 'number' }: PersonColumns = {}): string => {
  const key = keySql(project, number)
  return `dictGetOrDefault(${DELTA}, 'person_number', ${key}, dictGetOrDefault(${BASE}, 'person_number', ${key}, ${number}))`
}

/** SQL of the person's UUID today. Callers take nobody's events out: `nobody` rows have no person. */
export const personIdSql = ({
  project = 'project',
  number = 'number',
  filed = 'filed_person',
}: PersonColumns = {}): string => {
  const key = keySql(project, number)
  return `dictGetOrDefault(${DELTA}, 'person_id', ${key}, dictGetOrDefault(${BASE}, 'person_id', ${key}, ${filed}))`
}
