import { mkdir } from 'node:fs/promises'
import { open, type Database, type RootDatabase } from 'lmdb'
import { createCommitter, type Committer } from './committer.ts'
import { holdDataDir } from './data-dir-lock.ts'
import { guardCommits } from './guard.ts'
import { createRoomGuard, type RoomGuard } from './room.ts'
import { tableNames, type Range, type Row, type Reader, type Table, type WriteSet } from './write-set.ts'

/** `disk`: a commit is fsynced before it counts. `os`: it survives a killed process, not a lost power supply. */
export type SyncMode = 'disk' | 'os'

export interface LmdbOptions {
  /** Default `disk`. */
  readonly syncMode?: SyncMode | undefined
  /** At most one transaction is started in this time. Default 5. */
  readonly commitEveryMs?: number | undefined
  /** New input is refused while the disk has less room than this; what is under way goes on. Default 64 MiB. */
  readonly freeBytesMin?: number | undefined
  /** A commit that takes longer has hung: the store takes nothing more until it is opened again. Default 60,000. */
  readonly commitMsMax?: number | undefined
  readonly probe?: ((point: string) => void) | undefined
}

/** One lmdb environment in one folder, held by one process. Log, positions and state share its transactions. */
export interface LmdbRoot extends Reader {
  readonly commits: Committer
  readonly room: RoomGuard
  /** Committed rows in order of the key's bytes. */
  rows(table: Table, range: Range): Iterable<Row>
  /** Calls `listener` after each transaction that is on disk; the answer stops that. */
  onCommitted(listener: (writes: WriteSet) => void): () => void
  close(): Promise<void>
}

/** @throws DataDirHeld when another process (or this one) has the folder open */
export const openLmdb = async (dir: string, options: LmdbOptions = {}): Promise<LmdbRoot> => {
  await mkdir(dir, { recursive: true })
  const hold = await holdDataDir(dir)
  try {
    const environment = openEnvironment(dir, options.syncMode ?? 'disk')
    return assemble(dir, environment, options, hold.release)
  } catch (error) {
    await hold.release()
    throw error
  }
}

interface Environment {
  readonly root: RootDatabase<Buffer, Buffer>
  readonly tables: ReadonlyMap<Table, Database<Buffer, Buffer>>
}

const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const

const openEnvironment = (dir: string, syncMode: SyncMode): Environment => {
  const root = open<Buffer, Buffer>(dir, {
    ...BINARY,
    maxDbs: tableNames.length + 4,
    // Plain lmdb: a transaction becomes visible when it is durable, so nobody reads what a crash could take back.
    // (lmdb's overlapping sync shows it earlier, and a failed flush would leave its promise pending for ever.)
    overlappingSync: false,
    noSync: syncMode === 'os',
    // One explicit batch is one transaction, and its one promise is the only one that a failed commit rejects.
    eventTurnBatching: false,
  })
  return { root, tables: new Map(tableNames.map((name) => [name, root.openDB<Buffer, Buffer>(name, BINARY)])) }
}

const assemble = (dir: string, { root, tables }: Environment, options: LmdbOptions, release: () => Promise<void>): LmdbRoot => {
  const listeners = new Set<(writes: WriteSet) => void>()
  const table = (name: Table): Database<Buffer, Buffer> => tables.get(name)!
  const get = (name: Table, key: Buffer): Buffer | undefined => table(name).get(key)
  const room = createRoomGuard(dir, options.freeBytesMin ?? 64 * 1024 * 1024)
  const commits = createCommitter({
    reader: { get },
    everyMs: options.commitEveryMs ?? 5,
    write: guardCommits(room, options.commitMsMax ?? 60_000, (writes) => writeAll(root, table, writes)),
    committed: (writes) => listeners.forEach((listener) => listener(writes)),
    probe: options.probe,
  })
  return {
    get,
    commits,
    room,
    rows: (name, { start, end, limit }) => table(name).getRange({ start, end, ...(limit === undefined ? {} : { limit }) }),
    onCommitted: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => {
      await commits.close()
      await root.close()
      await release()
    },
  }
}

const writeAll = async (root: RootDatabase<Buffer, Buffer>, table: (name: Table) => Database<Buffer, Buffer>, writes: WriteSet): Promise<void> => {
  await root.batch(() => {
    for (const name of tableNames) {
      const database = table(name)
      for (const { key, value } of writes.touched(name)) {
        if (value) void database.put(key, value)
        else void database.remove(key)
      }
    }
  })
}
