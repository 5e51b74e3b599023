/** What a service asks of the engine. */
export type EngineStatement =
  /** Has an answer. */
  | { readonly kind: 'question'; readonly sql: string; readonly format: string | null }
  /** Its rows are the request's body. */
  | { readonly kind: 'insert'; readonly table: string; readonly columns: readonly string[] | null; readonly format: RowFormat }
  | { readonly kind: 'command'; readonly sql: string }

/** Formats whose rows the engine takes as they are, beside the statement. */
const ROW_FORMATS = ['JSONEachRow', 'JSONCompactEachRow', 'TabSeparated', 'TSV', 'CSV'] as const
export type RowFormat = (typeof ROW_FORMATS)[number]

const NAME = '[A-Za-z_]\\w*'
const INSERT = new RegExp(`^\\s*INSERT\\s+INTO\\s+(?:TABLE\\s+)?(${NAME}(?:\\.${NAME})?)\\s*(?:\\(([\\w\\s,]+)\\))?\\s*FORMAT\\s+(\\w+)\\s*;?\\s*$`, 'i')
const COMMENTS = /^(\s|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/|\()*/
const QUESTION = /^(SELECT|WITH|SHOW|DESCRIBE|DESC|EXPLAIN|EXISTS|CHECK|FROM|VALUES)\b/i
const TRAILING_FORMAT = /\sFORMAT\s+(\w+)\s*;?\s*$/i

/** @param sql the statement; of an INSERT whose rows stand apart from it, only its head */
export const readStatement = (sql: string): EngineStatement => {
  const insert = INSERT.exec(sql)
  const format = ROW_FORMATS.find((name) => name === insert?.[3])
  if (insert && format) {
    return { kind: 'insert', table: insert[1]!, columns: insert[2]?.split(',').map((name) => name.trim()) ?? null, format }
  }
  if (!QUESTION.test(sql.replace(COMMENTS, ''))) return { kind: 'command', sql }
  const trailing = TRAILING_FORMAT.exec(sql)
  return { kind: 'question', sql: trailing ? sql.slice(0, trailing.index) : sql, format: trailing?.[1] ?? null }
}

/** What the engine made of a text, which the guard looks at. */
export const isTree = (sql: string): boolean => /^EXPLAIN\s+(AST|QUERY\s+TREE)\b/i.test(sql.replace(COMMENTS, ''))
