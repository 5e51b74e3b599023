import { ProblemError, projectRecord, topics, type ProjectRecord } from '@millrace/contracts'
import type { EventLog, HotStore } from '@millrace/ports'

export interface KeptProjectsDeps {
  readonly hot: HotStore
  readonly log: Pick<EventLog, 'append' | 'read' | 'extents'>
}

const SCOPE = 'projects'
const PREFIX = 'project:'
const TOPIC = topics.projects.name
const READ = { recordsMax: 1_000, bytesMax: 4 << 20 }
export const PROJECTS_MAX = 10_000
/** Each time round, another copy changed the project while this one told the topic. */
const TELL_MAX = 20

/**
 * The projects, which no event makes again. The hot store orders the changes of all copies; the topic `projects` keeps
 * them: a change counts as made when the topic has it. What one of the two lost comes back from the other.
 */
export interface KeptProjects {
  /** As the hot store has them, which other copies change, too. */
  list(): Promise<readonly ProjectRecord[]>
  /** Puts what the topic knows and the hot store does not, or only as it was before, into the hot store. */
  restore(): Promise<void>
  /** `restore`, and tells the topic what only the hot store knows: a folder of an older version, a change that was cut short. */
  settle(): Promise<void>
  /** Under an id that no project ever had. */
  add(make: (id: number) => ProjectRecord): Promise<ProjectRecord>
  /** @throws PROJECT_NOT_FOUND */
  change(id: number, next: (before: ProjectRecord) => ProjectRecord): Promise<void>
  shownWriteKey(id: number): Promise<string | undefined>
}

export const createKeptProjects = ({ hot, log }: KeptProjectsDeps): KeptProjects => {
  const list = async (): Promise<readonly ProjectRecord[]> =>
    (await hot.scan(SCOPE, { prefix: PREFIX, limit: PROJECTS_MAX })).map(({ document }) => projectRecord.parse(document))

  const restore = async (): Promise<ReadonlyMap<number, ProjectRecord>> => {
    const recorded = await readTopic(log)
    const known = new Map((await list()).map(({ id, version }) => [id, version]))
    for (const record of recorded.values()) {
      if ((known.get(record.id) ?? -1) >= record.version) continue
      await hot.update(SCOPE, documentKey(record.id), (before) => (before !== undefined && versionOf(before) >= record.version ? before : record))
    }
    return recorded
  }

  /** Until the last record of the topic is no older than what the hot store has: two copies may come to the topic in either order. */
  const tell = async (id: number): Promise<void> => {
    for (let told = -1, times = 0; times < TELL_MAX; times++) {
      const record = await load(id)
      if (!record || record.version <= told) return
      await log.append([{ topic: TOPIC, partition: 0, key: String(id), value: Buffer.from(JSON.stringify(record)) }])
      told = record.version
    }
    throw new ProblemError('UNPROCESSABLE', 'the project is being changed by others all the time')
  }

  const load = async (id: number): Promise<ProjectRecord | undefined> => {
    const [document, shown] = await hot.get(SCOPE, [documentKey(id), shownKey(id)])
    if (document === undefined) return undefined
    const record = projectRecord.parse(document)
    // Older versions kept the key in a document of its own.
    return record.shownWriteKey === undefined && typeof shown === 'string' ? { ...record, shownWriteKey: shown } : record
  }

  return {
    list,
    restore: async () => void (await restore()),
    settle: async () => {
      const recorded = await restore()
      for (const { id, version } of await list()) if (version > (recorded.get(id)?.version ?? -1)) await tell(id)
    },
    // Changes are rare, so each reads the topic first: the hot store may have lost its last second.
    add: async (make) => {
      await restore()
      const largest = Math.max(0, ...(await list()).map(({ id }) => id))
      const id = (await hot.update(SCOPE, 'last-id', (before) => Math.max(largest, typeof before === 'number' ? before : 0) + 1)) as number
      const record = make(id)
      await hot.update(SCOPE, documentKey(id), (before) => {
        if (before !== undefined) throw new Error(`project ${id} is there already`)
        return record
      })
      await tell(id)
      return record
    },
    change: async (id, next) => {
      await restore()
      const shownWriteKey = (await load(id))?.shownWriteKey
      await hot.update(SCOPE, documentKey(id), (before) => {
        if (before === undefined) throw new ProblemError('PROJECT_NOT_FOUND')
        const record = projectRecord.parse(before)
        return { ...next({ ...record, shownWriteKey: record.shownWriteKey ?? shownWriteKey }), version: record.version + 1 }
      })
      await tell(id)
    },
    shownWriteKey: async (id) => (await load(id))?.shownWriteKey,
  }
}

const documentKey = (id: number): string => `${PREFIX}${String(id).padStart(5, '0')}`
const shownKey = (id: number): string => `shown:${id}`
const versionOf = (document: unknown): number => projectRecord.parse(document).version

/** The greatest version of each project; of two alike the later one. */
const readTopic = async (log: KeptProjectsDeps['log']): Promise<ReadonlyMap<number, ProjectRecord>> => {
  const recorded = new Map<number, ProjectRecord>()
  const extent = (await log.extents(TOPIC))[0]
  for (let at = extent?.first ?? 0; at < (extent?.next ?? 0); ) {
    const records = await log.read(TOPIC, 0, at, READ)
    if (records.length === 0) break
    for (const { value } of records) {
      const record = projectRecord.parse(JSON.parse(Buffer.from(value).toString()))
      if (record.version >= (recorded.get(record.id)?.version ?? 0)) recorded.set(record.id, record)
    }
    at = records.at(-1)!.offset + 1
  }
  return recorded
}
