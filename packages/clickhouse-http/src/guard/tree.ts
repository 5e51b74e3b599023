import { Refused } from './refused.ts'
import { isAllowedFunction, TABLE_FUNCTIONS } from './functions.ts'

interface Node {
  readonly depth: number
  readonly kind: string
  readonly rest: string
}

/** The engine's own reading of the statement, from EXPLAIN AST. */
const nodesOf = (explained: string): readonly Node[] =>
  explained
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const found = /^( *)([A-Za-z]+)(?: (.*?))?(?: \(children \d+\))?$/s.exec(line)
      if (!found) throw new Refused(`cannot read the statement near ${JSON.stringify(line.slice(0, 40))}`)
      return { depth: found[1]!.length, kind: found[2]!, rest: (found[3] ?? '').replace(/ \(alias .*\)$/s, '') }
    })

const KINDS: ReadonlySet<string> = new Set([
  'ArrayJoin', 'Asterisk', 'ColumnsApplyTransformer', 'ColumnsExceptTransformer', 'ColumnsListMatcher',
  'ColumnsRegexpMatcher', 'ColumnsReplaceTransformer', 'ColumnsReplaceTransformer::Replacement',
  'ColumnsTransformerList', 'ExpressionList', 'Function', 'Identifier', 'InterpolateElement', 'Literal',
  'OrderByElement', 'QualifiedAsterisk', 'QualifiedColumnsListMatcher', 'QualifiedColumnsRegexpMatcher',
  'SampleRatio', 'SelectIntersectExceptQuery', 'SelectQuery', 'SelectWithUnionQuery', 'Set', 'Subquery',
  'TableExpression', 'TableIdentifier', 'TableJoin', 'TablesInSelectQuery', 'TablesInSelectQueryElement',
  'WindowDefinition', 'WindowListElement', 'WithElement',
])

const SPECIAL: ReadonlySet<string> = new Set(['lambda', 'exists', 'untuple', 'grouping', 'tupleelement', 'isnotdistinctfrom'])

export interface Reach {
  /** The project's own database. */
  readonly database: string
  readonly views: ReadonlySet<string>
  /** Whether SETTINGS clauses were found and passed; the tree does not tell their names. */
  readonly settings: boolean
}

/**
 * Passes a tree that reads nothing but the project's views. An unqualified table is a name of the statement itself
 * (WITH) or is looked up in the default database, which is empty and stays so.
 * @throws Refused
 */
export const checkTree = (explained: string, reach: Reach): void => {
  const nodes = nodesOf(explained)
  nodes.forEach((node, index) => {
    if (!KINDS.has(node.kind)) throw new Refused(`${node.kind} is not part of what may be asked here`)
    if (node.kind === 'Set' && !reach.settings) throw new Refused('settings cannot be changed here')
    if (node.kind === 'TableIdentifier') checkTable(node.rest, reach)
    if (node.kind === 'Identifier') checkName(node.rest, reach)
    if (node.kind !== 'Function') return
    if (nodes[index - 1]?.kind === 'TableExpression') checkTableFunction(nodes, index)
    else if (!SPECIAL.has(node.rest.toLowerCase()) && !isAllowedFunction(node.rest)) {
      throw new Refused(`the function ${node.rest} is not available`)
    }
  })
}

const checkTable = (name: string, { database, views }: Reach): void => {
  const dot = name.indexOf('.')
  if (dot < 0) return
  if (name.slice(0, dot) !== database || !views.has(name.slice(dot + 1))) throw new Refused(`there is no table ${name}`)
}

/** A column, or a table behind IN: none may start with the name of a database that is not the project's. */
const checkName = (name: string, { database, views }: Reach): void => {
  const [head, second] = name.split('.')
  if (second === undefined || !isDatabase(head!)) return
  if (head !== database || !views.has(second)) throw new Refused(`there is no ${name}`)
}

/** Names of databases of the engine and of Millrace, in any case: no analyst's text may say them. */
export const isDatabase = (name: string): boolean =>
  /^(system|information_schema|default|millrace|millrace_store|millrace_p\d+|_temporary_and_external_tables)$/i.test(name)

const ROWS_MAX = 10_000_000

const checkTableFunction = (nodes: readonly Node[], index: number): void => {
  const { rest: name, depth } = nodes[index]!
  if (!TABLE_FUNCTIONS.has(name.toLowerCase())) throw new Refused(`the table function ${name} is not available`)
  if (name.toLowerCase() === 'values') return
  const below = nodes.slice(index + 1)
  const end = below.findIndex((node) => node.depth <= depth)
  const values = (end < 0 ? below : below.slice(0, end)).filter((node) => node.kind !== 'ExpressionList')
  const bounded = values.every((node) => /^UInt64_\d+$/.test(node.rest) && Number(node.rest.slice(7)) <= ROWS_MAX)
  if (values.length === 0 || !bounded) {
    throw new Refused(`${name} takes whole numbers up to ${ROWS_MAX}, written out`)
  }
}
