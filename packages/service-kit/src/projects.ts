import { createHash } from 'node:crypto'
import { ProblemError, project as projectSchema, type Project } from '@millrace/contracts'
import type { Clock, HotStore, Ids } from '@millrace/ports'

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
  start(): Promise<void>
  stop(): Promise<void>
}

const SCOPE = 'projects'
const PREFIX = 'project:'
const PROJECTS_MAX = 10_000
const REFRESH_MS = 5_000
const KNOWN_KEYS_MAX = 1_000

const documentKey = (id: number): string => `${PREFIX}${String(id).padStart(5, '0')}`
export const hashKey = (key: string): string => createHash('sha256').update(key).digest('hex')

export interface ProjectsDeps {
  readonly hot: HotStore
  readonly ids: Ids
  readonly clock: Clock
}

/** The registry over the hot store's scope `projects`. Call `start` (or `refresh`) before the first lookup. */
export const createProjects = ({ hot, ids, clock }: ProjectsDeps): Projects => {
  let index = indexOf([])
  let cancel: (() => void) | undefined
  let stopped = false

  const refresh = async (): Promise<void> => {
    const entries = await hot.scan(SCOPE, { prefix: PREFIX, limit: PROJECTS_MAX })
    index = indexOf(entries.map((entry) => projectSchema.parse(entry.document)))
  }
  const refreshLater = (): void => {
    if (stopped) return
    cancel = clock.after(REFRESH_MS, () => {
      // A store that does not answer now leaves the last known projects in force; readiness tells of the store.
      refresh().then(refreshLater, refreshLater)
    })
  }
  const change = async (id: number, next: (before: Project) => Project): Promise<Project> => {
    const after = await hot.update(SCOPE, documentKey(id), (before) => {
      if (before === undefined) throw new ProblemError('PROJECT_NOT_FOUND')
      return next(projectSchema.parse(before))
    })
    await refresh()
    return after as Project
  }
  const addWriteKey = async (id: number, source: string, key = `wk_${ids.secret(16)}`): Promise<string> => {
    const hash = hashKey(key)
    await change(id, (before) =>
      before.writeKeys.some((known) => known.hash === hash) ? before : { ...before, writeKeys: [...before.writeKeys, { hash, source }] })
    return key
  }
  const addApiKey = async (id: number, role: Role, key = `mk_${ids.secret(24)}`): Promise<string> => {
    const hash = hashKey(key)
    await change(id, (before) =>
      before.apiKeys.some((known) => known.hash === hash)
        ? before
        : { ...before, apiKeys: [...before.apiKeys, { hash, role, createdAt: clock.now() }] })
    return key
  }
  const create = async (given: NewProject): Promise<CreatedProject> => {
    if (index.all.length >= PROJECTS_MAX) throw new ProblemError('UNPROCESSABLE', `an instance has at most ${PROJECTS_MAX} projects`)
    const id = (await hot.update(SCOPE, 'last-id', (before) => (typeof before === 'number' ? before : 0) + 1)) as number
    const document = projectSchema.parse({
      id, name: given.name, zone: given.zone, currency: given.currency, writeKeys: [], apiKeys: [], identity: given.identity ?? {},
    })
    await hot.update(SCOPE, documentKey(id), () => document)
    const writeKey = await addWriteKey(id, 'default', given.writeKey)
    await hot.update(SCOPE, `shown:${id}`, () => writeKey)
    const apiKey = await addApiKey(id, 'admin', given.apiKey)
    return { project: index.byId.get(id) ?? document, writeKey, apiKey }
  }

  return {
    all: () => index.all,
    byId: (id) => index.byId.get(id),
    byWriteKey: (key) => index.byWriteKey(key),
    byApiKey: (key) => index.byApiKey(key),
    create,
    addWriteKey,
    addApiKey,
    shownWriteKey: async (id) => (await hot.get(SCOPE, [`shown:${id}`]))[0] as string | undefined,
    refresh,
    start: async () => {
      stopped = false
      await refresh()
      refreshLater()
    },
    stop: async () => {
      stopped = true
      cancel?.()
    },
  }
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
