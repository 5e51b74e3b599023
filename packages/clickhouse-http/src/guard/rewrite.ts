import { Refused } from './refused.ts'
import { isAllowedFunction, TABLE_FUNCTIONS } from './functions.ts'
import { isDatabase } from './tree.ts'
import { isMark, isWord, type Token } from './tokens.ts'

export interface Names {
  /** The project's own database, `millrace_p7`. */
  readonly database: string
  /** The views of `millrace`. */
  readonly views: ReadonlySet<string>
  /** Tables of `system` that have a view of their own, named `system_<table>`. */
  readonly system: ReadonlySet<string>
}

export interface Edit {
  readonly at: number
  readonly length: number
  readonly text: string
}

/**
 * Turns `millrace.events`, `events` and `system.tables` into the project's own views. It serves convenience: what it
 * does not find stays as it is and then reads nothing, and the result is checked as a tree.
 * @throws Refused for a name of a database that is not `millrace`, or a table that it does not have
 */
export const rewriteNames = (text: string, tokens: readonly Token[], names: Names): string => {
  const edits: Edit[] = []
  const declared = declaredNames(tokens)
  const positions = tablePositions(tokens)
  tokens.forEach((token, index) => {
    if (token.name === null || isMark(tokens[index - 1], '.')) return
    const qualified = isMark(tokens[index + 1], '.')
    if (token.name.includes('.') && isDatabase(token.name.split('.')[0]!)) throw new Refused(`there is no table ${token.name}`)
    if (qualified && isDatabase(token.name)) edits.push(...ownDatabase(tokens, index, names))
    else if (!qualified && positions.has(index) && names.views.has(token.name) && !declared.has(token.name)) {
      edits.push({ at: token.at, length: 0, text: `${names.database}.` })
    } else if (isCurrentDatabase(tokens, index)) {
      edits.push({ at: token.at, length: tokens[index + 2]!.at + 1 - token.at, text: "'millrace'" })
    }
  })
  return edited(text, edits)
}

const ownDatabase = (tokens: readonly Token[], index: number, names: Names): readonly Edit[] => {
  const [database, table] = [tokens[index]!, tokens[index + 2]]
  const name = table?.name ?? ''
  if (database.name === 'millrace' && names.views.has(name)) {
    return [{ at: database.at, length: database.text.length, text: names.database }]
  }
  if (database.name!.toLowerCase() === 'system' && names.system.has(name)) {
    return [
      { at: database.at, length: database.text.length, text: names.database },
      { at: table!.at, length: table!.text.length, text: `system_${name}` },
    ]
  }
  throw new Refused(`there is no table ${database.name}.${name}`)
}

const isCurrentDatabase = (tokens: readonly Token[], index: number): boolean =>
  /^(currentdatabase|current_database|database|schema)$/i.test(tokens[index]!.name ?? '') &&
  isMark(tokens[index + 1], '(') &&
  isMark(tokens[index + 2], ')')

/** `name AS (` stands in a WITH list only. */
const declaredNames = (tokens: readonly Token[]): ReadonlySet<string> =>
  new Set(
    tokens
      .filter((token, index) => token.name !== null && isWord(tokens[index + 1], 'AS') && isMark(tokens[index + 2], '('))
      .map((token) => token.name!),
  )

const FROM_ENDS = [
  'WHERE', 'PREWHERE', 'GROUP', 'ORDER', 'HAVING', 'LIMIT', 'UNION', 'INTERSECT', 'EXCEPT', 'SETTINGS', 'WINDOW', 'ARRAY', 'QUALIFY',
]

/** Indexes of tokens at which a table may be named: behind FROM, JOIN, a comma of FROM, and alone in IN (…). */
const tablePositions = (tokens: readonly Token[]): ReadonlySet<number> => {
  const found = new Set<number>()
  const inFrom: boolean[] = [false]
  tokens.forEach((token, index) => {
    if (isMark(token, '(')) inFrom.push(false)
    else if (isMark(token, ')')) inFrom.pop()
    else if (isWord(token, 'FROM')) inFrom[inFrom.length - 1] = true
    else if (isWord(token, ...FROM_ENDS)) inFrom[inFrom.length - 1] = false
    const before = tokens[index - 1]
    if (isWord(before, 'FROM', 'JOIN') || (isMark(before, ',') && inFrom.at(-1))) found.add(index)
    if (isMark(before, '(') && isWord(tokens[index - 2], 'IN') && isMark(tokens[index + 1], ')')) found.add(index)
  })
  return found
}

/** Applies edits that are in order and do not overlap. */
export const edited = (text: string, edits: readonly Edit[]): string => {
  let result = ''
  let done = 0
  for (const { at, length, text: replacement } of edits) {
    result += text.slice(done, at) + replacement
    done = at + length
  }
  return result + text.slice(done)
}

/**
 * The second look at functions, over the tokens: the tree does not show all places (windows, APPLY).
 * @throws Refused for a call of a function that the engine knows and the list does not hold
 */
export const checkCalls = (tokens: readonly Token[], engineFunctions: ReadonlySet<string>): void => {
  tokens.forEach((token, index) => {
    if (token.name === null) return
    const called = isMark(tokens[index + 1], '(')
    const applied = isWord(tokens[index - 1], 'APPLY') || (isMark(tokens[index - 1], '(') && isWord(tokens[index - 2], 'APPLY'))
    const name = token.name.toLowerCase()
    const allowed = isAllowedFunction(name) || TABLE_FUNCTIONS.has(name)
    if ((called || applied) && engineFunctions.has(name) && !allowed) {
      throw new Refused(`the function ${token.name} is not available`)
    }
  })
}
