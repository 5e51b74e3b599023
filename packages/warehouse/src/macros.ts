import { StoreError } from '@millrace/ports'
import { quoted, unsigned } from './sql/literal.ts'

/** The one place that decides how the tables are kept. */
export interface TableOptions {
  /** `plain`: MergeTree, one server. `replicated`: ReplicatedMergeTree under the server's macros `{shard}`, `{replica}`. */
  readonly engine: 'plain' | 'replicated'
  /** Under whom a server reads the tables of dictionaries; without one as `default` without a password. */
  readonly dictionaryUser: DictionaryUser | null
  /** Seconds that the sources of a merge stay. */
  readonly oldPartsLifetime: number
}

export interface DictionaryUser {
  readonly name: string
  readonly password: string
}

/**
 * A statement of a migration with its macros written out:
 * `{engine X(…)}`, `{token_window}`, `{dictionary_user}`, `{old_parts_lifetime}`.
 */
export const writtenOut = (statement: string, options: TableOptions): string =>
  statement
    .replace(/\{engine (\w+)(?:\((\w+)\))?\}/g, (_, engine: string, version?: string) => engineSql(engine, version, tableIn(statement), options))
    .replaceAll('{token_window}', () => TOKEN_WINDOW[options.engine])
    .replaceAll('{dictionary_user}', () => userSql(options.dictionaryUser))
    .replaceAll('{old_parts_lifetime}', () => String(unsigned(options.oldPartsLifetime)))

/**
 * A window keeps the tokens of the newest parts, so it is more than partitions × batches that may be repeated. A
 * replicated one is bounded in time as well, by an hour unless told: a sink that comes back after a weekend repeats its
 * last batch, so a week.
 */
const TOKEN_WINDOW = {
  plain: 'non_replicated_deduplication_window = 20000',
  replicated: 'replicated_deduplication_window = 20000, replicated_deduplication_window_seconds = 604800',
} as const

const engineSql = (engine: string, version: string | undefined, table: string, options: TableOptions): string => {
  const own = version === undefined ? [] : [version]
  if (options.engine === 'plain') return own.length === 0 ? engine : `${engine}(${own.join(', ')})`
  return `Replicated${engine}(${[`'/clickhouse/tables/{shard}/${table}'`, "'{replica}'", ...own].join(', ')})`
}

const tableIn = (statement: string): string => {
  const name = /^CREATE TABLE IF NOT EXISTS ([\w.]+) /.exec(statement)?.[1]
  if (name === undefined) throw new StoreError(0, `no table in: ${statement.slice(0, 80)}`)
  return name
}

const userSql = (user: DictionaryUser | null): string => (user === null ? '' : ` USER ${quoted(user.name)} PASSWORD ${quoted(user.password)}`)
