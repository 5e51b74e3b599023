import { Refused } from './refused.ts'

/** One token of a statement as ClickHouse's own formatter wrote it: no comments, one way to write each thing. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'mark'
  readonly text: string
  /** Where it stands in the statement. */
  readonly at: number
  /** What a word or a quoted name names; null for others. */
  readonly name: string | null
}

const SHAPES =
  /\s+|(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<quoted>`(?:[^`\\]|\\[\s\S]|``)*`)|(?<string>'(?:[^'\\]|\\[\s\S]|'')*')|(?<number>\d[A-Za-z0-9_]*)|(?<mark>[^A-Za-z0-9_\s'"`])/uy

/** @throws Refused for text that the formatter does not write */
export const tokenize = (text: string): readonly Token[] => {
  const tokens: Token[] = []
  SHAPES.lastIndex = 0
  while (SHAPES.lastIndex < text.length) {
    const at = SHAPES.lastIndex
    const found = SHAPES.exec(text)
    if (!found) throw new Refused(`cannot read the statement near ${JSON.stringify(text.slice(at, at + 20))}`)
    const kind = KINDS.find((candidate) => found.groups?.[candidate] !== undefined)
    if (kind) tokens.push({ kind, text: found[0], at, name: nameIn(kind, found[0]) })
  }
  return tokens
}

const KINDS = ['word', 'quoted', 'string', 'number', 'mark'] as const

const nameIn = (kind: Token['kind'], text: string): string | null =>
  kind === 'word' ? text : kind === 'quoted' ? unquoted(text) : null

/** The plain characters of a quoted name; an escape keeps its backslash, so no escaped name equals a plain one. */
const unquoted = (text: string): string => text.slice(1, -1).replaceAll('``', '`')

/** An unquoted word, compared as a keyword. */
export const isWord = (token: Token | undefined, ...words: readonly string[]): boolean =>
  token?.kind === 'word' && words.includes(token.text.toUpperCase())

export const isMark = (token: Token | undefined, mark: string): boolean => token?.kind === 'mark' && token.text === mark
