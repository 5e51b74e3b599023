import { quoted } from '@millrace/warehouse'
import { edited, type Edit } from './rewrite.ts'
import { Refused } from './refused.ts'
import { isMark, type Token } from './tokens.ts'

const UNKNOWN_QUERY_PARAMETER = 456

/**
 * Puts the request's `param_<name>` values in the place of `{name:Type}`, as CAST of a string literal: the engine's
 * own binding is serialised over the whole process. @throws Refused for a parameter without a value
 */
export const bindParameters = (
  text: string,
  tokens: readonly Token[],
  parameters: ReadonlyMap<string, string>,
): string => {
  const edits: Edit[] = []
  for (const [index, token] of tokens.entries()) {
    if (!isMark(token, '{')) continue
    const name = tokens[index + 1]?.name ?? ''
    const end = tokens.findIndex((candidate, at) => at > index && isMark(candidate, '}'))
    const type = tokens[index + 3]
    if (!isMark(tokens[index + 2], ':') || end < 0 || !type) throw new Refused('a parameter is written {name:Type}')
    const value = parameters.get(name)
    if (value === undefined) throw new Refused(`Substitution ${name} is not set`, UNKNOWN_QUERY_PARAMETER)
    const typeText = text.slice(type.at, tokens[end]!.at)
    edits.push({ at: token.at, length: tokens[end]!.at + 1 - token.at, text: valueText(value, typeText) })
  }
  return edited(text, edits)
}

const valueText = (value: string, type: string): string => {
  if (type === 'Identifier') return `\`${value.replace(/[\\`]/g, (mark) => `\\${mark}`)}\``
  // A list's text holds its own escapes.
  const plain = /^(Array|Map|Tuple)\b/.test(type) ? value : unescaped(value)
  return plain === null ? 'NULL' : `CAST(${quoted(plain)}, ${quoted(type)})`
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '0': '\0' }

/** Values come escaped as in TabSeparated. */
const unescaped = (value: string): string | null =>
  value === '\\N' ? null : value.replace(/\\([\s\S])/g, (_, mark: string) => ESCAPES[mark] ?? mark)
