import { readFileSync } from 'node:fs'

/**
 * Functions that compute from their arguments alone. What reads files, dictionaries, other tables, the server's
 * state or the clock's patience (sleep) is not in the list, and what is not in the list is refused.
 */
const ALLOWED: ReadonlySet<string> = new Set(
  readFileSync(new URL('../../allowed-functions.txt', import.meta.url), 'utf8').split(/\s+/).filter(Boolean),
)

/** Table functions whose rows come from their arguments; bounded by their arguments. */
export const TABLE_FUNCTIONS: ReadonlySet<string> = new Set(['numbers', 'generate_series', 'generateseries', 'values'])

const COMBINATORS =
  /(if|array|map|distinct|ornull|ordefault|foreach|resample|state|merge|mergestate|simplestate|argmin|argmax)$/

export const isAllowedFunction = (name: string): boolean => {
  let rest = name.toLowerCase()
  for (;;) {
    if (ALLOWED.has(rest)) return true
    const shorter = rest.replace(COMBINATORS, '')
    if (shorter === rest) return false
    rest = shorter
  }
}
