import { readdirSync, readFileSync } from 'node:fs'
import { StoreError, type ColumnStore } from '@millrace/ports'
import { authorizeDictionaries } from './dictionaries.ts'
import { writtenOut, type DictionaryUser, type TableOptions } from './macros.ts'
import { quoted, unsigned } from './sql/literal.ts'
import { analystViews, viewSql } from './views.ts'

/** Tables of the warehouse; nobody but Millrace's own parts reads them. */
export const STORE_DATABASE = 'millrace_store'
/** The analysts' views over all projects, for Millrace's own parts. */
export const VIEWS_DATABASE = 'millrace'

interface Migration {
  readonly version: number
  readonly name: string
  readonly statements: readonly string[]
}

export interface MigrateOptions {
  /** How tables are kept; fixed by the first migration of a store. */
  readonly engine?: TableOptions['engine'] | undefined
  /** Whom dictionaries read as, on a server whose user `default` has a password or is not there. */
  readonly dictionaryUser?: DictionaryUser | undefined
}

/**
 * Brings the column store to this build's schema; safe to repeat, also after a crash in the middle, since
 * every statement of a migration may run twice. Views are replaced each time: they hold no data.
 * @throws StoreError when a newer build has been here
 */
export const migrate = async (columns: ColumnStore, options: MigrateOptions = {}): Promise<{ readonly applied: readonly string[] }> => {
  await columns.command(`CREATE DATABASE IF NOT EXISTS ${STORE_DATABASE}`)
  await columns.command(`CREATE DATABASE IF NOT EXISTS ${VIEWS_DATABASE}`)
  await columns.command(
    `CREATE TABLE IF NOT EXISTS ${STORE_DATABASE}.migrations (version UInt32, name String) ENGINE = MergeTree ORDER BY version`,
  )
  const done = new Set(
    (await columns.query<{ version: number }>(`SELECT version FROM ${STORE_DATABASE}.migrations`)).map((row) => row.version),
  )
  const known = readMigrations()
  const newest = Math.max(0, ...done)
  if (newest > known.length) {
    throw new StoreError(0, `the column store has schema ${newest}, this build knows ${known.length}: use the newer build`)
  }
  await checkEngine(columns, options.engine ?? 'plain')
  const missing = known.filter((migration) => !done.has(migration.version))
  const tables: TableOptions = {
    engine: options.engine ?? 'plain',
    dictionaryUser: options.dictionaryUser ?? null,
    oldPartsLifetime: await oldPartsLifetime(columns),
  }
  for (const migration of missing) await apply(columns, migration, tables)
  await authorizeDictionaries(columns, known.flatMap(({ statements }) => statements).map((statement) => writtenOut(statement, tables)), tables.dictionaryUser)
  for (const view of analystViews) {
    await columns.command(`CREATE OR REPLACE VIEW ${VIEWS_DATABASE}.${view} AS ${viewSql(view, '1')}`)
  }
  return { applied: missing.map((migration) => migration.name) }
}

/** Migrations of this build: the schema it works on. */
export const migrationsKnown = (): number => readMigrations().length

const apply = async (columns: ColumnStore, { version, name, statements }: Migration, tables: TableOptions): Promise<void> => {
  for (const statement of statements) await columns.command(writtenOut(statement, tables))
  await columns.command(
    `INSERT INTO ${STORE_DATABASE}.migrations SETTINGS async_insert=0 VALUES (${unsigned(version)}, ${quoted(name)})`,
  )
}

/** Tables of two kinds in one store would keep tokens by two rules. */
const checkEngine = async (columns: ColumnStore, wanted: TableOptions['engine']): Promise<void> => {
  const [table] = await columns.query<{ engine: string }>(`SELECT engine FROM system.tables WHERE database = '${STORE_DATABASE}' AND name = 'events'`)
  if (!table) return
  const present = table.engine.startsWith('Replicated') ? 'replicated' : 'plain'
  if (present !== wanted) throw new StoreError(0, `the tables of this column store are ${present}, ${wanted} ones are asked for`)
}

const OLD_PARTS_SECONDS_MIN = 20

/** A server's own 480 s are more than enough; the engine in process has none of its own. */
const oldPartsLifetime = async (columns: ColumnStore): Promise<number> => {
  const [row] = await columns.query<{ seconds: string }>("SELECT value AS seconds FROM system.merge_tree_settings WHERE name = 'old_parts_lifetime'")
  return Math.max(OLD_PARTS_SECONDS_MIN, Number(row?.seconds ?? 0))
}

const FOLDER = new URL('../migrations/', import.meta.url)

const readMigrations = (): readonly Migration[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file, index) => {
      const version = Number(file.slice(0, 4))
      if (version !== index + 1) throw new StoreError(0, `migration ${file} is out of order`)
      return { version, name: file.slice(0, -4), statements: statementsOf(readFileSync(new URL(file, FOLDER), 'utf8')) }
    })

/** Statements end with a semicolon at the end of a line; whole-line comments are left out. */
const statementsOf = (text: string): readonly string[] =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('--'))
    .join('\n')
    .split(/;\s*\n/)
    .map((statement) => statement.trim().replace(/;$/, ''))
    .filter((statement) => statement !== '')
