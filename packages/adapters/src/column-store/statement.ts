import { StoreError } from '@millrace/ports'

type Settings = Readonly<Record<string, string | number>>

/**
 * Settings behind FORMAT hold for the whole statement and for nothing else.
 * @throws StoreError for a name or value that could leave its place
 */
export const withFormat = (sql: string, format: string, settings?: Settings): string =>
  `${asSubquery(sql, settings)}\nFORMAT ${word(format)}${settingsClause(settings)}`

/** A statement under a limit of its result: the engine does not hold a UNION to one, but does hold a subquery. */
export const asSubquery = (sql: string, settings?: Settings): string =>
  limited(settings) ? `SELECT * FROM (\n${trimmed(sql)}\n)` : trimmed(sql)

/** Only a SELECT is streamed by the engine in process; SHOW, DESCRIBE, EXPLAIN and the like are answered at once. */
export const isSelect = (sql: string): boolean => /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/|\()*(?:SELECT|WITH|FROM)\b/i.test(sql)

const limited = (settings: Settings = {}): boolean => 'max_result_rows' in settings || 'max_result_bytes' in settings

/** ` SETTINGS a=1, b='x'`, or nothing. @throws StoreError for a name or value that no setting has */
export const settingsClause = (settings?: Settings): string => {
  const entries = Object.entries(settings ?? {})
  return entries.length === 0 ? '' : `\nSETTINGS ${entries.map(([name, value]) => `${word(name)}=${literal(value)}`).join(', ')}`
}

/**
 * One insert is one block: with the same token and another block size the engine would store a part of it
 * twice. The thresholds are above any batch; partitions in a block are bounded by the batch itself.
 */
export const insertPrefixSettings = (token: string): Record<string, string | number> => ({
  insert_deduplication_token: token,
  insert_deduplicate: 1,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  async_insert: 0,
  max_insert_block_size: BLOCK_ROWS,
  min_insert_block_size_rows: BLOCK_ROWS,
  min_insert_block_size_bytes: 0,
  input_format_parallel_parsing: 0,
  max_insert_threads: 1,
  max_partitions_per_insert_block: 20_000,
  date_time_input_format: 'basic',
})

const BLOCK_ROWS = 10_000_000

const trimmed = (sql: string): string => sql.replace(/[\s;]+$/, '')

const word = (text: string): string => {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(text)) throw new StoreError(36, `not a plain word: ${JSON.stringify(text)}`)
  return text
}

const literal = (value: string | number): string => {
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, (mark) => `\\${mark}`)}'`
  if (!Number.isFinite(value)) throw new StoreError(36, `not a finite number: ${value}`)
  return String(value)
}
