import { FIRST_SOURCE, isRefusal, ProblemError, project as projectSchema, projectRecord, type Project, type ProjectRecord, type SourceSettings } from '@millrace/contracts'
import { LogUnavailable, type Clock, type Ids } from '@millrace/ports'
import { createKeptProjects, PROJECTS_MAX, type KeptProjectsDeps } from './kept-projects.ts'
import { type ApiAccess, hashKey, keyIndexOf, type Role, type WriteAccess } from './key-index.ts'
import { type Changed, withoutKey, withRotatedKey, withSettings, withSource, withWriteKey } from './source-changes.ts'

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
  /** Answers with the source's first key, told here only. @throws SOURCE_EXISTS, SOURCE_BOUND */
  addSource(id: number, settings: SourceSettings): Promise<string>
  /** @throws SOURCE_NOT_FOUND */
  changeSource(id: number, name: string, change: Partial<Omit<SourceSettings, 'name'>>): Promise<void>
  /** Answers with a new key; those before work `graceMs` longer. @throws SOURCE_NOT_FOUND, KEY_BOUND */
  rotateKey(id: number, source: string, graceMs: number): Promise<string>
  /** This copy refuses it from now on, the others with their next `refresh`. @throws SOURCE_NOT_FOUND, KEY_NOT_FOUND */
  revokeKey(id: number, source: string, keyId: string): Promise<void>
  /** A write key only writes and stands in web pages, so one of the first source is kept readable, to be shown at each start. Nothing when it works no more. */
  shownWriteKey(id: number): Promise<string | undefined>
  refresh(): Promise<void>
  /** Before a key is refused: another copy may have made it a moment ago. Reads again, at most four times a second. */
  lookAgain(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

const REFRESH_MS = 5_000
/** A start without the log and without any project waits for the log: nobody who has a key must be told that it is none. */
const FIRST_LOOK_MS = 500
const FIRST_LOOKS_MAX = 240
/** Keys that nobody has may come in any number; they must not become as many readings of the store. */
const LOOK_AGAIN_MS = 250

export interface ProjectsDeps extends KeptProjectsDeps {
  readonly ids: Ids
  readonly clock: Clock
}

/** The registry: looked up in memory, kept in the hot store and the topic `projects`. Call `start` (or `refresh`) before the first lookup. */
export const createProjects = ({ hot, log, ids, clock }: ProjectsDeps): Projects => {
  const kept = createKeptProjects({ hot, log })
  let index = keyIndexOf([])
  let versions: ReadonlyMap<number, number> = new Map()
  let cancel: (() => void) | undefined
  let stopped = false
  let settled = false
  let lookedAgainAt = -Infinity
  let looking: Promise<void> = Promise.resolve()

  const take = (records: readonly ProjectRecord[]): void => {
    versions = new Map(records.map(({ id, version }) => [id, version]))
    index = keyIndexOf(records.map((record) => projectSchema.parse(record)))
  }
  const refresh = async (): Promise<void> => {
    const records = await kept.list()
    if (records.length > 0 && !isBehind(records, versions)) return take(records)
    // The hot store was flushed or went back.
    await kept.restore()
    take(await kept.list())
  }
  const settle = async (): Promise<void> => {
    await kept.settle()
    settled = true
  }
  const untilRefreshed = async (): Promise<void> => {
    for (let looks = 1; ; looks++) {
      try {
        return await refresh()
      } catch (error) {
        if (!(error instanceof LogUnavailable) || looks >= FIRST_LOOKS_MAX) throw error
        await new Promise<void>((resolve) => void clock.after(FIRST_LOOK_MS, resolve))
      }
    }
  }
  const refreshLater = (): void => {
    if (stopped) return
    cancel = clock.after(REFRESH_MS, () => {
      // A store that does not answer now leaves the last known projects in force; readiness tells of the store.
      (settled ? refresh() : settle().then(refresh)).then(refreshLater, refreshLater)
    })
  }
  const change = async (id: number, next: (before: ProjectRecord) => ProjectRecord): Promise<void> => {
    await kept.change(id, next)
    await refresh()
  }
  const addWriteKey = async (id: number, source: string, key = newWriteKey(ids)): Promise<string> => {
    await change(id, (before) => changed(withWriteKey(before, source, key, clock.now())))
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
      const bare = projectRecord.parse({ id, name, zone, currency, writeKeys: [], apiKeys: [], identity, version: 1 })
      return withApiKey(changed(withWriteKey(bare, FIRST_SOURCE, writeKey, clock.now())), 'admin', apiKey, clock.now())
    })
    await refresh()
    return { project: index.byId.get(record.id) ?? projectSchema.parse(record), writeKey, apiKey }
  }

  return {
    all: () => index.all,
    byId: (id) => index.byId.get(id),
    byWriteKey: (key) => index.byWriteKey(key, clock.now()),
    byApiKey: (key) => index.byApiKey(key),
    create,
    addWriteKey,
    addApiKey,
    addSource: async (id, settings) => {
      const key = newWriteKey(ids)
      await change(id, (before) => changed(withSource(before, settings, key, clock.now())))
      return key
    },
    changeSource: (id, name, wanted) => change(id, (before) => changed(withSettings(before, name, wanted))),
    rotateKey: async (id, source, graceMs) => {
      const key = newWriteKey(ids)
      await change(id, (before) => changed(withRotatedKey(before, source, key, clock.now(), clock.now() + graceMs)))
      return key
    },
    revokeKey: (id, source, keyId) => change(id, (before) => changed(withoutKey(before, source, keyId, clock.now()))),
    shownWriteKey: async (id) => {
      const key = await kept.shownWriteKey(id)
      return key !== undefined && index.byWriteKey(key, clock.now()) ? key : undefined
    },
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
      // Who takes events while the log is away (a spool) starts without it, where the hot store knows projects.
      await settle().catch(passOverAway)
      await untilRefreshed()
      refreshLater()
    },
    stop: async () => {
      stopped = true
      cancel?.()
    },
  }
}

const passOverAway = (error: unknown): void => {
  if (!(error instanceof LogUnavailable)) throw error
}

const newWriteKey = (ids: Ids): string => `wk_${ids.secret(16)}`
const newApiKey = (ids: Ids): string => `mk_${ids.secret(24)}`

const withApiKey = (record: ProjectRecord, role: Role, key: string, createdAt: number): ProjectRecord => {
  const hash = hashKey(key)
  return record.apiKeys.some((known) => known.hash === hash) ? record : { ...record, apiKeys: [...record.apiKeys, { hash, role, createdAt }] }
}

const changed = (result: Changed): ProjectRecord => {
  if (isRefusal(result)) throw new ProblemError(result.code, result.detail)
  return result
}

/** A project that this copy knew is gone, or is as it was before. */
const isBehind = (records: readonly ProjectRecord[], versions: ReadonlyMap<number, number>): boolean => {
  const found = new Map(records.map(({ id, version }) => [id, version]))
  return [...versions].some(([id, version]) => (found.get(id) ?? -1) < version)
}
