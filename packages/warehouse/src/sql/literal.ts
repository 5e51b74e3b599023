/** A value that cannot be rendered into SQL as asked. */
export class LiteralError extends Error {
  override readonly name = 'LiteralError'
}

/** A string literal. Any text is allowed; lone surrogates become U+FFFD, since ClickHouse would refuse them. */
export const quoted = (text: string): string => `'${text.toWellFormed().replace(/[\\'\0\b\f\n\r\t]/g, escaped)}'`

const ESCAPES: Readonly<Record<string, string>> = { '\0': '0', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't' }
const escaped = (mark: string): string => `\\${ESCAPES[mark] ?? mark}`

/** An integer from 0 to 2^53 − 1. @throws LiteralError */
export const unsigned = (value: number): string => {
  if (!Number.isSafeInteger(value) || value < 0) throw new LiteralError(`not an unsigned integer: ${value}`)
  return String(value)
}

/** A whole number up to ±(2^53 − 1). @throws LiteralError */
export const integer = (value: number): string => {
  if (!Number.isSafeInteger(value)) throw new LiteralError(`not an integer: ${value}`)
  return value < 0 ? `(${value})` : String(value)
}

/** A Float64. @throws LiteralError for NaN and infinities */
export const float = (value: number): string => {
  if (!Number.isFinite(value)) throw new LiteralError(`not a finite number: ${value}`)
  return `toFloat64('${Object.is(value, -0) ? '-0' : value}')`
}

/** A Decimal(38,4) from decimal text with at most 4 fraction digits. @throws LiteralError */
export const decimal = (text: string): string => {
  if (!/^-?\d{1,30}(\.\d{1,4})?$/.test(text)) throw new LiteralError(`not a decimal with 4 fraction digits: ${quoted(text)}`)
  return `toDecimal128('${text}', 4)`
}

/** A DateTime64(3, 'UTC') from milliseconds. @throws LiteralError */
export const instant = (ms: number): string => `fromUnixTimestamp64Milli(toInt64(${integer(ms)}), 'UTC')`

/** A Date from `2024-01-31`. @throws LiteralError */
export const date = (text: string): string => {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) throw new LiteralError(`not a date: ${quoted(text)}`)
  return `toDate('${text}')`
}

/** A UUID. @throws LiteralError */
export const uuid = (text: string): string => {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) throw new LiteralError(`not a UUID: ${quoted(text)}`)
  return `toUUID('${text.toLowerCase()}')`
}

/** A name of a column, an alias or a table. @throws LiteralError for anything but a plain word */
export const identifier = (name: string): string => {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name)) throw new LiteralError(`not an identifier: ${quoted(name)}`)
  return `\`${name}\``
}

/** `('a', 'b')`, of literals rendered before. @throws LiteralError for an empty list */
export const list = (literals: readonly string[]): string => {
  if (literals.length === 0) throw new LiteralError('an empty list has no form in SQL')
  return `(${literals.join(', ')})`
}
