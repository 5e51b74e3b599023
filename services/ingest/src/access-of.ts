import { type ErrorCode, ProblemError } from '@millrace/contracts'
import { type WriteAccess, writeAccessOf } from '@millrace/service-kit'
import type { Door } from './door.ts'
import type { Protocol } from './protocols/protocol.ts'

/** One key, or several of which the first known counts. */
export type Keys = ReturnType<Protocol['keyOf']>

/** Whose key it is, as far as this copy knows at once. */
export const knownAccess = (door: Door, keys: Keys): WriteAccess | undefined => {
  if (keys === undefined) return undefined
  if (typeof keys === 'string') return door.projects.byWriteKey(keys)
  for (const key of keys) {
    const access = door.projects.byWriteKey(key)
    if (access) return access
  }
  return undefined
}

/** The same, asking the store once more. @throws ProblemError WRITE_KEY_MISSING, WRITE_KEY_UNKNOWN */
export const accessOf = async (door: Door, given: Keys): Promise<WriteAccess> => {
  const keys = typeof given === 'string' ? [given] : (given ?? [])
  const known = knownAccess(door, keys)
  if (known) return known
  for (const key of keys) {
    const found = await writeAccessOf(door.projects, key)
    if (found) return found
  }
  const code: ErrorCode = keys.length === 0 ? 'WRITE_KEY_MISSING' : 'WRITE_KEY_UNKNOWN'
  door.counters.unauthorised.inc({ code })
  throw new ProblemError(code)
}
