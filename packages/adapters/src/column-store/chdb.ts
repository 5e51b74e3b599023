import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { StoreError, type ColumnStore, type Insert, type QueryOptions } from '@millrace/ports'
import type { createChdbConnection } from 'chdb/connection'
import type { Session } from 'chdb'
import { createDiskGuard, type DiskGuard } from './disk-guard.ts'
import { createPool, type Pool } from './pool.ts'
import { emptyNativeBlock, framingOf, headLengthOf } from './framing.ts'
import { insertPrefixSettings, withFormat } from './statement.ts'

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

type Connection = ReturnType<typeof createChdbConnection>

/**
 * ClickHouse in this process. @throws StoreError when the folder is held by another process or cannot be read
 *
 * Statements go through the connection's own entry points, not through `client.query`: that one turns settings
 * into SET, which sticks to the connection (a token that sticks drops the rows of the next insert), and buffers
 * whole answers. A connection whose statement failed or was left is closed and replaced (0.5 ms): the engine keeps
 * what a failed statement had written and puts it in front of the connection's next answer.
 */
export const createChdbStore = (options: ChdbOptions): ColumnStore => {
  const { keeper, connect } = open(options)
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
    command,
    query,
    stream: (sql, format, { settings } = {}) => streamOf(pool, { sql, format, settings }),
    insert: (insert) => insertInto(pool, disk, insert, options.probe),
    close: async () => {
      if (closed) return
      closed = true
      await disk.stop()
      await pool.close()
      keeper.close()
    },
  }
}

const open = ({ path, memoryBytesMax = 1_400_000_000 }: ChdbOptions) => {
  // Loaded when chosen: the native library costs 150 MB of memory that the stack's services must not pay.
  const require = createRequire(import.meta.url)
  try {
    const engine = require('chdb') as { Session: typeof Session }
    const connect = (require('chdb/connection') as { createChdbConnection: typeof createChdbConnection })
      .createChdbConnection
    mkdirSync(path, { recursive: true })
    // Server options belong to the first connection of a process; the others take them over.
    const keeper = new engine.Session(path, { connectionArgs: serverArguments(memoryBytesMax) })
    return { keeper, connect: () => connect({ path }) }
  } catch (error) {
    throw asStoreError(error)
  }
}

const serverArguments = (memoryBytesMax: number): readonly string[] => [
  `--max_server_memory_usage=${memoryBytesMax}`,
  '--mark_cache_size=134217728',
  '--primary_index_cache_size=134217728',
  '--background_pool_size=1',
  `--max_memory_usage=${Math.floor(memoryBytesMax * 0.65)}`,
  `--max_bytes_before_external_group_by=${Math.floor(memoryBytesMax * 0.2)}`,
  `--max_bytes_before_external_sort=${Math.floor(memoryBytesMax * 0.2)}`,
]

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
    if (framingOf(format) === 'whole') {
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

/** Inserts go before waiting questions: the sink must not stand behind an analyst. */
const insertInto = async (pool: Pool<Connection>, disk: DiskGuard, insert: Insert, probe?: (point: string) => void): Promise<void> => {
  if (insert.rows.byteLength === 0) return
  await disk.check()
  probe?.(`store.insert.before ${insert.table}`)
  await pool
    .run(
      ({ chdb }) =>
        chdb.rawInsert({
          table: insert.table,
          values: insert.rows,
          format: 'JSONEachRow',
          settings: insertPrefixSettings(insert.token),
        }),
      'insert',
    )
    .catch(rethrow)
    // Also behind a failed one: half of it may be there.
    .finally(disk.check)
  probe?.(`store.insert.after ${insert.table}`)
}

const rethrow = (error: unknown): never => {
  throw asStoreError(error)
}

/** The engine's own code is in the error, or only at the head of its text when it came through a stream. */
const asStoreError = (error: unknown): StoreError => {
  if (error instanceof StoreError) return error
  const message = error instanceof Error ? error.message : String(error)
  const code = (error as { clickhouseCode?: number } | null)?.clickhouseCode ?? codeIn(message)
  const known = new StoreError(code, message)
  known.cause = error
  return known
}

const codeIn = (message: string): number => Number(/^Code: (\d+)/.exec(message)?.[1] ?? 0)
