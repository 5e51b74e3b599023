import { createHash } from 'node:crypto'
import { ProblemError, project as projectSchema, type Project, type ProjectRecord } from '@millrace/contracts'
import type { Clock, Ids } from '@millrace/ports'
import { createKeptProjects, PROJECTS_MAX, type KeptProjectsDeps } from './kept-projects.ts'

export type Role = Project['apiKeys'][number]['role']
export interface WriteAccess {
  readonly project: Project
  readonly source: string
}
export interface ApiAccess {
  readonly project: Project
  readonly role: Role
}
export interface NewProject {
  readonly name: string
  readonly zone: string
  readonly currency: string
  /** Taken instead of new ones where given. */
  readonly writeKey?: string | undefined
  readonly apiKey?: string | undefined
  readonly identity?: Partial<Project['identity']>
}
/** The API key is told here and nowhere again: only its hash is kept. */
export interface CreatedProject {
  readonly project: Project
  readonly writeKey: string
  readonly apiKey: string
}

/** The tenants of this instance. Lookups answer from memory; what other copies change arrives with `refresh`. */
export interface Projects {
  all(): readonly Project[]
  byId(id: number): Project | undefined
  byWriteKey(key: string): WriteAccess | undefined
  byApiKey(key: string): ApiAccess | undefined
  create(project: NewProject): Promise<CreatedProject>
  /** Adds a key, and answers with it; a given one is taken as it is. */
  addWriteKey(id: number, source: string, key?: string): Promise<string>
  addApiKey(id: number, role: Role, key?: string): Promise<string>
  /** A write key only writes and stands in web pages, so the first one is kept readable, to be shown at each start. */
  shownWriteKey(id: number): Promise<string | undefined>
  refresh(): Promise<void>
  /** Before a key is refused: another copy may have made it a moment ago. Reads again, at most four times a second. */
  lookAgain(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

const REFRESH_MS = 5_000
const KNOWN_KEYS_MAX = 1_000
/** Keys that nobody has may come in any number; they must not become as many readings of the store. */
const LOOK_AGAIN_MS = 250

export const hashKey = (key: string): string => createHash('sha256').update(key).digest('hex')

export interface ProjectsDeps extends KeptProjectsDeps {
  readonly ids: Ids
  readonly clock: Clock
}

/** The registry: looked up in memory, kept in the hot store and the topic `projects`. Call `start` (or `refresh`) before the first lookup. */
export const createProjects = ({ hot, log, ids, clock }: ProjectsDeps): Projects => {
  const kept = createKeptProjects({ hot, log })
  let index = indexOf([])
  let versions: ReadonlyMap<number, number> = new Map()
  let cancel: (() => void) | undefined
  let stopped = false
  let lookedAgainAt = -Infinity
  let looking: Promise<void> = Promise.resolve()

  const take = (records: readonly ProjectRecord[]): void => {
    versions = new Map(records.map(({ id, version }) => [id, version]))
    index = indexOf(records.map((record) => projectSchema.parse(record)))
  }
  const refresh = async (): Promise<void> => {
    const records = await kept.list()
    if (records.length > 0 && !isBehind(records, versions)) return take(records)
    // The hot store was flushed or went back.
    await kept.restore()
    take(await kept.list())
  }
  const refreshLater = (): void => {
    if (stopped) return
    cancel = clock.after(REFRESH_MS, () => {
      // A store that does not answer now leaves the last known projects in force; readiness tells of the store.
      refresh().then(refreshLater, refreshLater)
    })
  }
  const change = async (id: number, next: (before: Project) => Project): Promise<void> => {
    await kept.change(id, next)
    await refresh()
  }
  const addWriteKey = async (id: number, source: string, key = newWriteKey(ids)): Promise<string> => {
    await change(id, (before) => withWriteKey(before, source, key))
    return key
  }
  const addApiKey = async (id: number, role: Role, key = newApiKey(ids)): Promise<string> => {
    await change(id, (before) => withApiKey(before, role, key, clock.now()))
    return key
  }
  const create = async (given: NewProject): Promise<CreatedProject> => {
    if (index.all.length >= PROJECTS_MAX) throw new ProblemError('UNPROCESSABLE', `an instance has at most ${PROJECTS_MAX} projects`)
    const { name, zone, currency, identity = {}, writeKey = newWriteKey(ids), apiKey = newApiKey(ids) } = given
    const record = await kept.add((id) => {
      const bare = projectSchema.parse({ id, name, zone, currency, writeKeys: [], apiKeys: [], identity })
      return { ...withApiKey(withWriteKey(bare, 'default', writeKey), 'admin', apiKey, clock.now()), version: 1, shownWriteKey: writeKey }
    })
    await refresh()
    return { project: index.byId.get(record.id) ?? projectSchema.parse(record), writeKey, apiKey }
  }

  return {
    all: () => index.all,
    byId: (id) => index.byId.get(id),
    byWriteKey: (key) => index.byWriteKey(key),
    byApiKey: (key) => index.byApiKey(key),
    create,
    addWriteKey,
    addApiKey,
    shownWriteKey: kept.shownWriteKey,
    refresh,
    lookAgain: () => {
      const now = clock.now()
      if (now - lookedAgainAt < LOOK_AGAIN_MS && now >= lookedAgainAt) return looking
      lookedAgainAt = now
      // A store that does not answer leaves what is known in force.
      return (looking = refresh().catch(() => undefined))
    },
    start: async () => {
      stopped = false
      await kept.settle()
      await refresh()
      refreshLater()
    },
    stop: async () => {
      stopped = true
      cancel?.()
    },
  }
}

const newWriteKey = (ids: Ids): string => `wk_${ids.secret(16)}`
const newApiKey = (ids: Ids): string => `mk_${ids.secret(24)}`

const withWriteKey = (project: Project, source: string, key: string): Project => {
  const hash = hashKey(key)
  return project.writeKeys.some((known) => known.hash === hash) ? project : { ...project, writeKeys: [...project.writeKeys, { hash, source }] }
}

const withApiKey = (project: Project, role: Role, key: string, createdAt: number): Project => {
  const hash = hashKey(key)
  return project.apiKeys.some((known) => known.hash === hash) ? project : { ...project, apiKeys: [...project.apiKeys, { hash, role, createdAt }] }
}

/** A project that this copy knew is gone, or is as it was before. */
const isBehind = (records: readonly ProjectRecord[], versions: ReadonlyMap<number, number>): boolean => {
  const found = new Map(records.map(({ id, version }) => [id, version]))
  return [...versions].some(([id, version]) => (found.get(id) ?? -1) < version)
}

const indexOf = (all: readonly Project[]) => {
  const writers = new Map<string, WriteAccess>()
  const callers = new Map<string, ApiAccess>()
  for (const project of all) {
    for (const { hash, source } of project.writeKeys) writers.set(hash, { project, source })
    for (const { hash, role } of project.apiKeys) callers.set(hash, { project, role })
  }
  return {
    all,
    byId: new Map(all.map((project) => [project.id, project])),
    byWriteKey: remembered((key) => lookUp(writers, key)),
    byApiKey: (key: string) => lookUp(callers, key),
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
