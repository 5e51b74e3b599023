import type { ColumnStore } from '@millrace/ports'
import { analystViews, projectDatabase, quoted } from '@millrace/warehouse'
import { catalogueAnswer, systemViews, viewsOf } from '../catalogue.ts'
import { bindParameters } from './parameters.ts'
import { Refused } from './refused.ts'
import { checkCalls, rewriteNames } from './rewrite.ts'
import { checkKind, checkSettings, takeFormatOff } from './statement.ts'
import { checkTree } from './tree.ts'
import { tokenize } from './tokens.ts'

/** A statement that reads one project's views and nothing else. */
export interface Guarded {
  readonly sql: string
  /** Asked for behind FORMAT. */
  readonly format: string | null
}

/** @throws Refused for what analysts may not ask; StoreError for what ClickHouse cannot read */
export type Guard = (sql: string, project: number, parameters: ReadonlyMap<string, string>) => Promise<Guarded>

const STATEMENT_CHARACTERS_MAX = 256 * 1024

/**
 * The wall around analysts' SQL. The engine's own parser reads the statement twice: as it came, and after its names
 * were turned into the project's; what runs is exactly the text that the second reading passed.
 */
export const createGuard = async (columns: ColumnStore): Promise<Guard> => {
  const engineFunctions = await readFunctions(columns)
  const names = { views: new Set<string>(analystViews), system: new Set<string>(systemViews) }
  const views = viewsOf()
  return async (sql, project, parameters) => {
    if (sql.length > STATEMENT_CHARACTERS_MAX) throw new Refused('the statement is too long')
    const database = projectDatabase(project)
    const asked = takeFormatOff(await format(columns, sql))
    const statement = takeFormatOff(await catalogued(columns, asked.text, parameters))
    checkKind(statement.tokens)
    const settings = checkSettings(statement.tokens) > 0
    checkCalls(statement.tokens, engineFunctions)
    const rewritten = rewriteNames(statement.text, statement.tokens, { ...names, database })
    checkTree(await explain(columns, rewritten), { database, views, settings })
    return { sql: rewritten, format: asked.format }
  }
}

/** SHOW, DESCRIBE and EXISTS become a SELECT; parameters become literals; then the engine formats it once more. */
const catalogued = async (columns: ColumnStore, text: string, parameters: ReadonlyMap<string, string>): Promise<string> => {
  const answer = catalogueAnswer(text)
  const tokens = tokenize(text)
  if (answer === null && !tokens.some((token) => token.text === '{')) return text
  return format(columns, answer ?? bindParameters(text, tokens, parameters))
}

const readFunctions = async (columns: ColumnStore): Promise<ReadonlySet<string>> => {
  const rows = await columns.query<{ name: string }>(
    'SELECT lower(name) AS name FROM system.functions UNION DISTINCT SELECT lower(name) FROM system.table_functions',
  )
  return new Set(rows.map((row) => row.name))
}

/** One statement in the engine's own spelling, comments gone. @throws StoreError 62 for several or none */
const format = async (columns: ColumnStore, sql: string): Promise<string> => {
  if (sql.includes('\0')) throw new Refused('a statement holds no zero byte', 62)
  const text = sql.trim().replace(/;\s*$/, '')
  const rows = await columns.query<{ text: string }>(`SELECT formatQuerySingleLine(${quoted(text)}) AS text`)
  return rows[0]!.text
}

const explain = async (columns: ColumnStore, sql: string): Promise<string> => {
  const rows = await columns.query<{ explain: string }>(`EXPLAIN AST SELECT * FROM (\n${sql}\n)`)
  return rows.map((row) => row.explain).join('\n')
}
