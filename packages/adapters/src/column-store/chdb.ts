import type { ColumnStore, Insert, QueryOptions } from '@millrace/ports'
import { openChdb, rethrow, type Connection } from './chdb-open.ts'
import { createDiskGuard, type DiskGuard } from './disk-guard.ts'
import { createPool, type Pool } from './pool.ts'
import { emptyNativeBlock, framingOf, headLengthOf } from './framing.ts'
import { insertPrefixSettings, isSelect, settingsClause, withFormat } from './statement.ts'

export interface ChdbOptions {
  /** Folder of the data; made when it is not there. One process at a time may hold it. */
  readonly path: string
  /** Connections, so statements at once; each holds a libuv thread while it works. */
  readonly clients?: number
  /** Statements that may wait for a connection; one more is refused with code 202. */
  readonly waitingMax?: number
  /** What the engine may take in all; a statement that needs more fails with code 241, the process lives. */
  readonly memoryBytesMax?: number
  /** Nothing is inserted or merged while the disk has less room than this. Default 32 MiB. */
  readonly freeBytesMin?: number
  /** Called at named points, so that a test can kill the process there. */
  readonly probe?: (point: string) => void
}

/** The rows of an INSERT as text of a format that the engine reads without help. */
interface RawInsert {
  readonly table: string
  readonly columns?: readonly string[]
  readonly format: 'JSONEachRow' | 'JSONCompactEachRow' | 'TabSeparated' | 'TSV' | 'CSV'
  readonly rows: Uint8Array
}

type Settings = Readonly<Record<string, string | number>>

/** The engine with more than the port asks for, so that a server can be made of it. */
export interface ChdbEngine {
  readonly store: ColumnStore
  /** Any statement without an answer, under settings that hold for it alone. */
  command(sql: string, settings: Settings): Promise<void>
  /** As `store.insert`, with settings of the caller's. */
  insert(insert: RawInsert, settings: Settings): Promise<void>
}

/** ClickHouse in this process, see `createChdbEngine`. */
export const createChdbStore = (options: ChdbOptions): ColumnStore => createChdbEngine(options).store

/**
 * ClickHouse in this process. @throws StoreError when the folder is held by another process or cannot be read
 *
 * Statements go through the connection's own entry points, not through `client.query`: that one turns settings
 * into SET, which sticks to the connection (a token that sticks drops the rows of the next insert), and buffers
 * whole answers. A connection whose statement failed or was left is closed and replaced (0.5 ms): the engine keeps
 * what a failed statement had written and puts it in front of the connection's next answer.
 */
export const createChdbEngine = (options: ChdbOptions): ChdbEngine => {
  const { keeper, connect } = openChdb(options.path, options.memoryBytesMax)
  const pool = createPool<Connection>({
    size: options.clients ?? 4,
    waitingMax: options.waitingMax ?? 200,
    open: connect,
    close: (connection) => connection.close(),
  })
  const command = (sql: string): Promise<void> => pool.run(async ({ chdb }) => void (await chdb.queryAsync(sql)), 'work').catch(rethrow)
  const query: ColumnStore['query'] = async (sql, { settings } = {}) => rowsOf(pool, withFormat(sql, 'JSONEachRow', settings))
  const disk = createDiskGuard({ path: options.path, engine: { command, query }, freeBytesMin: options.freeBytesMin ?? 32 * 1024 * 1024 })
  let closed = false
  return {
    command: (sql, settings) => commandUnder(pool, sql, settings),
    insert: (insert, settings) => insertInto(pool, disk, insert, settings),
    store: {
      command,
      query,
      stream: (sql, format, { settings } = {}) => streamOf(pool, { sql, format, settings }),
      insert: (insert) => insertOnce(pool, disk, insert, options.probe),
      close: async () => {
        if (closed) return
        closed = true
        await disk.stop()
        await pool.close()
        keeper.close()
      },
    },
  }
}

/** SET sticks to the connection, so this one is thrown away. */
const commandUnder = async (pool: Pool<Connection>, sql: string, settings: Settings): Promise<void> => {
  const connection = await pool.take('work').catch(rethrow)
  try {
    const clause = settingsClause(settings)
    if (clause !== '') await connection.chdb.queryAsync(clause.replace('SETTINGS', 'SET').trim())
    await connection.chdb.queryAsync(sql)
  } catch (error) {
    rethrow(error)
  } finally {
    await pool.give(connection, 'spoiled')
  }
}

const rowsOf = async <Row>(pool: Pool<Connection>, sql: string): Promise<readonly Row[]> => {
  const text = await pool
    .run(async ({ chdb }) => (await chdb.queryAsync(sql, { format: 'JSONEachRow' })).text(), 'work')
    .catch(rethrow)
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line) => JSON.parse(line) as Row)
}

async function* streamOf(
  pool: Pool<Connection>,
  { sql, format, settings }: { readonly sql: string; readonly format: string; readonly settings: QueryOptions['settings'] },
): AsyncIterable<Uint8Array> {
  const connection = await pool.take('work').catch(rethrow)
  let state: 'clean' | 'spoiled' = 'spoiled'
  try {
    const statement = withFormat(sql, format, settings)
    if (framingOf(format) === 'whole' || !isSelect(sql)) {
      const whole = (await connection.chdb.queryAsync(statement, { format })).bytes()
      state = 'clean'
      return yield whole
    }
    const headLength = headLengthOf(format)
    let first = true
    for await (const chunk of connection.chdb.queryStream(statement, { format })) {
      if (chunk.numBytes === 0) continue
      const bytes = chunk.raw()
      yield first || headLength === null ? bytes : bytes.subarray(headLength(bytes))
      first = false
    }
    if (first && format === 'Native') yield emptyNativeBlock(await columnsOf(connection, sql))
    state = 'clean'
  } catch (error) {
    rethrow(error)
  } finally {
    await pool.give(connection, state)
  }
}

const columnsOf = async ({ chdb }: Connection, sql: string): Promise<readonly { name: string; type: string }[]> => {
  const text = (await chdb.queryAsync(`DESCRIBE TABLE (\n${sql}\n)`, { format: 'JSONEachRow' })).text()
  return text.trimEnd().split('\n').map((line) => JSON.parse(line) as { name: string; type: string })
}

const insertOnce = async (pool: Pool<Connection>, disk: DiskGuard, { table, rows, token }: Insert, probe?: (point: string) => void): Promise<void> => {
  if (rows.byteLength === 0) return
  probe?.(`store.insert.before ${table}`)
  await insertInto(pool, disk, { table, rows, format: 'JSONEachRow' }, insertPrefixSettings(token))
  probe?.(`store.insert.after ${table}`)
}

/** Inserts go before waiting questions: the sink must not stand behind an analyst. */
const insertInto = async (pool: Pool<Connection>, disk: DiskGuard, { rows, ...insert }: RawInsert, settings: Settings): Promise<void> => {
  await disk.check()
  await pool
    .run(({ chdb }) => chdb.rawInsert({ ...insert, values: rows, settings }), 'insert')
    .catch(rethrow)
    // Also behind a failed one: half of it may be there.
    .finally(disk.check)
}
