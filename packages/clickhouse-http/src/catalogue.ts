import type { ColumnStore } from '@millrace/ports'
import { analystViews, createProjectViews, projectDatabase, quoted, type AnalystView } from '@millrace/warehouse'
import { SAFE_SETTINGS } from './guard/statement.ts'

/** What clients read of `system` when they connect, each as a view that shows `millrace` and nothing else. */
export const systemViews = ['settings', 'databases', 'tables', 'columns', 'functions'] as const
type SystemView = (typeof systemViews)[number]

/** Views of a project's database: the analysts' own and those of the catalogue. */
export const viewsOf = (): ReadonlySet<string> =>
  new Set([...analystViews, ...systemViews.map((name) => `system_${name}`)])

const systemViewSql = (view: SystemView, project: number): string => {
  const database = projectDatabase(project)
  return {
    settings: "SELECT name, value, changed, description, min, max, toUInt8(name NOT IN (" + [...SAFE_SETTINGS].map(quoted).join(', ') + ')) AS readonly, type, default FROM system.settings',
    databases: "SELECT 'millrace' AS name, 'Atomic' AS engine, '' AS data_path, '' AS metadata_path, toUUID('00000000-0000-0000-0000-000000000000') AS uuid, '' AS engine_full, 'Views of one project' AS comment",
    tables: `SELECT 'millrace' AS database, name, uuid, 'View' AS engine, toUInt8(0) AS is_temporary, '' AS engine_full, '' AS create_table_query, '' AS as_select, '' AS partition_key, '' AS sorting_key, '' AS primary_key, '' AS sampling_key, CAST(NULL, 'Nullable(UInt64)') AS total_rows, CAST(NULL, 'Nullable(UInt64)') AS total_bytes, '' AS comment FROM (SELECT name, uuid FROM system.tables WHERE database = '${database}' AND name NOT LIKE 'system\\_%')`,
    columns: `SELECT 'millrace' AS database, table, name, type, position, '' AS default_kind, '' AS default_expression, comment, toUInt8(0) AS is_in_partition_key, toUInt8(0) AS is_in_sorting_key, toUInt8(0) AS is_in_primary_key, toUInt8(0) AS is_in_sampling_key FROM (SELECT table, name, type, position, comment FROM system.columns WHERE database = '${database}' AND table NOT LIKE 'system\\_%')`,
    functions: 'SELECT name, is_aggregate, case_insensitive, alias_to, description FROM system.functions',
  }[view]
}

/** Makes or renews everything that a project's analysts may read. Safe to repeat. */
export const createProjectDatabase = async (columns: ColumnStore, project: number): Promise<void> => {
  await createProjectViews(columns, project)
  for (const view of systemViews) {
    await columns.command(
      `CREATE OR REPLACE VIEW ${projectDatabase(project)}.system_${view} AS ${systemViewSql(view, project)}`,
    )
  }
}

const isView = (name: string): name is AnalystView => (analystViews as readonly string[]).includes(name)

/** The SELECT that answers SHOW, DESCRIBE or EXISTS, or null for another statement. Names a view of `millrace` only. */
export const catalogueAnswer = (text: string): string | null => {
  const name = '(?:`?millrace`?\\s*\\.\\s*)?[`"]?([A-Za-z_]\\w*)[`"]?'
  const like = "(?:\\s+LIKE\\s+('(?:[^'\\\\]|\\\\.)*'))?"
  const match = (shape: string): RegExpExecArray | null => new RegExp(`^\\s*${shape}\\s*;?\\s*$`, 'i').exec(text)
  const databases = match(`SHOW\\s+(?:DATABASES|SCHEMAS)${like}`)
  if (databases) return `SELECT name FROM system.databases${filtered(databases[1])}`
  const tables = match(`SHOW\\s+(?:FULL\\s+)?(?:TABLES|VIEWS)(?:\\s+(?:FROM|IN)\\s+[\`"]?millrace[\`"]?)?${like}`)
  if (tables) return `SELECT name FROM system.tables${filtered(tables[1])} ORDER BY name`
  const columns = match(`(?:DESCRIBE|DESC)\\s+(?:TABLE\\s+)?${name}`) ?? match(`SHOW\\s+(?:COLUMNS|FIELDS)\\s+(?:FROM|IN)\\s+${name}`)
  if (columns) return describeSql(columns[1]!)
  const exists = match(`EXISTS\\s+(?:TABLE\\s+|VIEW\\s+)?${name}`)
  if (exists) return `SELECT toUInt8(${isView(exists[1]!) ? 1 : 0}) AS result`
  return null
}

const filtered = (like: string | undefined): string => (like === undefined ? '' : ` WHERE name LIKE ${like}`)

const describeSql = (view: string): string =>
  isView(view)
    ? `SELECT name, type, '' AS default_type, '' AS default_expression, comment, '' AS codec_expression, '' AS ttl_expression FROM system.columns WHERE table = '${view}' ORDER BY position`
    : `SELECT throwIf(1, 'there is no table ${view}')`
