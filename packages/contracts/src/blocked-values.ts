/**
 * Values that senders write where they know nobody. An event with one is kept; the value is not used as an
 * identity (else all its senders' people would become one person).
 */
export const BLOCKED_VALUES: ReadonlySet<string> = new Set([
  '', 'null', '(null)', '<null>', 'nil', 'none', 'undefined', 'nan', 'n/a', 'na', '-1', 'true', 'false', '[object object]',
  'anonymous', 'guest', 'unknown', 'not set', '(not set)', 'not_authenticated', 'unauthenticated',
  'id', 'user_id', 'userid', 'anonymous_id', 'anonymousid', 'distinct_id', 'distinctid',
])

const LENGTH_MAX = Math.max(...[...BLOCKED_VALUES].map((value) => value.length))

/** `0`, `000`, a zero UUID, lone dashes. */
const ALL_ZEROS = /^[0-]*$/

/** Compared without regard to case and outer white space; `more` are the project's own. */
export const isBlocked = (value: string, more: readonly string[] = []): boolean => {
  // Most ids are longer than any of these, and begin with something else: this is asked of every event.
  if (more.length === 0 && value.length > LENGTH_MAX && isPlain(value.charCodeAt(0)) && isPlain(value.charCodeAt(value.length - 1)) && value[0] !== '0' && value[0] !== '-') return false
  const plain = value.trim().toLowerCase()
  return ALL_ZEROS.test(plain) || BLOCKED_VALUES.has(plain) || more.some((other) => other.trim().toLowerCase() === plain)
}

/** ASCII that is no white space. */
const isPlain = (code: number): boolean => code > 0x20 && code < 0x7f
