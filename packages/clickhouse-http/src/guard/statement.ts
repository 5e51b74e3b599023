import { NOT_IMPLEMENTED, READONLY, Refused } from './refused.ts'
import { isMark, isWord, tokenize, type Token } from './tokens.ts'

/** A statement without its output clauses. */
export interface Statement {
  readonly text: string
  readonly tokens: readonly Token[]
  /** Named behind FORMAT. */
  readonly format: string | null
}

/** Takes a trailing FORMAT off a formatted statement. @throws Refused */
export const takeFormatOff = (formatted: string): Statement => {
  const tokens = tokenize(formatted)
  const format = tokens.findLastIndex((token, index) => isWord(token, 'FORMAT') && typeof tokens[index + 1]?.name === 'string')
  if (format < 1 || format + 2 !== tokens.length || isWord(tokens[format - 1], 'AS')) {
    return { text: formatted, tokens, format: null }
  }
  return {
    text: formatted.slice(0, tokens[format]!.at).trimEnd(),
    tokens: tokens.slice(0, format),
    // The formatter quotes one that is a keyword too: `Null`.
    format: tokens[format + 1]!.name,
  }
}

/** Settings that change an answer's form or its joins, and no limit. */
export const SAFE_SETTINGS: ReadonlySet<string> = new Set([
  'aggregate_functions_null_for_empty',
  'cast_keep_nullable',
  'date_time_output_format',
  'empty_result_for_aggregation_by_empty_set',
  'group_by_use_nulls',
  'join_use_nulls',
  'output_format_arrow_string_as_string',
  'output_format_json_quote_64bit_integers',
  'output_format_json_quote_decimals',
  'output_format_json_quote_denormals',
  'output_format_native_encode_types_in_binary_format',
  'output_format_native_write_json_as_string',
  'output_format_write_statistics',
  'prefer_column_name_to_alias',
  'session_timezone',
  'union_default_mode',
])

/**
 * Every SETTINGS clause, at any depth, may name safe settings only. The formatter writes keywords in capitals, and
 * names as they came. @returns how many clauses there are. @throws Refused
 */
export const checkSettings = (tokens: readonly Token[]): number => {
  let clauses = 0
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'word' || token.text !== 'SETTINGS' || isMark(tokens[index - 1], '.')) continue
    clauses += 1
    for (let at = index + 1; ; at += 4) {
      const name = tokens[at]
      if (name?.kind !== 'word' || !isMark(tokens[at + 1], '=')) throw new Refused('SETTINGS must be a list of names and values', READONLY)
      if (!SAFE_SETTINGS.has(name.text)) throw new Refused(`the setting ${name.text} cannot be changed`, READONLY)
      if (!isMark(tokens[at + 3], ',')) break
    }
  }
  return clauses
}

/** Words that only other kinds of statements have; the parser refuses them as well. */
export const checkKind = (tokens: readonly Token[]): void => {
  const first = tokens.find((token) => !isMark(token, '('))
  // Totals stand beside the rows and would be lost where the statement runs as a subquery.
  const totals = tokens.some((token, index) => isWord(token, 'TOTALS') && isWord(tokens[index - 1], 'WITH'))
  if (totals) throw new Refused('WITH TOTALS is not available: use WITH ROLLUP', NOT_IMPLEMENTED)
  if (isWord(first, 'SELECT', 'WITH')) return
  throw new Refused(`only SELECT, SHOW, DESCRIBE and EXISTS are answered here, not ${first?.text ?? 'nothing'}`, NOT_IMPLEMENTED)
}
