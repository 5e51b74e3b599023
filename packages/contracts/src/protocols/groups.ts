import { type Fields, isFields } from '../fields.ts'

/** Groups said beside an event, `{company: 'g1'}`, as context: all of them, and the group where there is exactly one. */
export const groupContext = (groups: unknown): Fields => {
  if (!isFields(groups) || Object.keys(groups).length === 0) return {}
  const [only, ...others] = Object.values(groups).flat()
  return { groups, ...(others.length === 0 && only !== undefined && only !== null ? { groupId: only } : {}) }
}
