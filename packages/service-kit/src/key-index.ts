import { createHash } from 'node:crypto'
import { isKeyLive, type Project, settingsOf, type SourceSettings, type WriteKey } from '@millrace/contracts'

export type Role = Project['apiKeys'][number]['role']
export interface WriteAccess {
  readonly project: Project
  readonly source: string
  readonly settings: SourceSettings
  readonly key: WriteKey
}
export interface ApiAccess {
  readonly project: Project
  readonly role: Role
}

/** Who a key belongs to. */
export interface KeyIndex {
  readonly all: readonly Project[]
  readonly byId: ReadonlyMap<number, Project>
  /** Nobody's once the key was revoked or has expired at `now` (ms UTC). */
  byWriteKey(key: string, now: number): WriteAccess | undefined
  byApiKey(key: string): ApiAccess | undefined
}

const KNOWN_KEYS_MAX = 1_000

export const hashKey = (key: string): string => createHash('sha256').update(key).digest('hex')

/** Of the projects as they are now; what it remembers ends with it. */
export const keyIndexOf = (all: readonly Project[]): KeyIndex => {
  const writers = new Map<string, WriteAccess>()
  const callers = new Map<string, ApiAccess>()
  for (const project of all) {
    for (const key of project.writeKeys) writers.set(key.hash, { project, source: key.source, settings: settingsOf(project, key.source), key })
    for (const { hash, role } of project.apiKeys) callers.set(hash, { project, role })
  }
  const byWriteKey = remembered((key) => lookUp(writers, key))
  return {
    all,
    byId: new Map(all.map((project) => [project.id, project])),
    // Asked each time: a key that is remembered may expire meanwhile.
    byWriteKey: (key, now) => {
      const found = byWriteKey(key)
      return found && isKeyLive(found.key, now) ? found : undefined
    },
    byApiKey: (key) => lookUp(callers, key),
  }
}

/** By the hash of the key: what an attacker can time is the comparison of hashes that they cannot choose. */
const lookUp = <Access>(byHash: ReadonlyMap<string, Access>, key: string): Access | undefined => byHash.get(hashKey(key))

/** A sender's key comes with each request; its hash is computed once. Only keys that exist are kept, at most a thousand. */
const remembered = <Access>(find: (key: string) => Access | undefined): ((key: string) => Access | undefined) => {
  const known = new Map<string, Access>()
  return (key) => {
    const before = known.get(key)
    if (before) return before
    const found = find(key)
    if (found && known.size < KNOWN_KEYS_MAX) known.set(key, found)
    return found
  }
}
