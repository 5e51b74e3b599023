import { type Fields, isFields } from '../fields.ts'

/** A mapping as data: where a field of the sender goes. Targets may be nested: `page.url`. The first source that is there wins. */
export type FieldTable = readonly (readonly [from: string, to: string])[]

/** What SDKs write where they know nothing: no campaign, no referrer, no name. */
const NOTHING: ReadonlySet<unknown> = new Set(['', 'EMPTY', '$direct', '未取到值', '取值异常', 'url的domain解析失败', 'undefined', 'null'])

/** Whether a field says something: neither absent nor one of the words that SDKs use for "none". */
export const says = (value: unknown): boolean =>
  value !== undefined && value !== null && !NOTHING.has(value) && !(typeof value === 'string' && value.startsWith('未取到值'))

/** The fields of `from` that the table names, at their places. What is not named stays where it was: nothing is moved. */
export const placed = (from: Fields, table: FieldTable): Record<string, unknown> => {
  const target: Record<string, unknown> = {}
  for (const [name, to] of table) if (Object.hasOwn(from, name) && says(from[name])) place(target, to, from[name])
  return target
}

const place = (target: Record<string, unknown>, path: string, value: unknown): void => {
  const dot = path.indexOf('.')
  if (dot < 0) {
    target[path] ??= value
    return
  }
  const name = path.slice(0, dot)
  const inner = (target[name] ??= {}) as Record<string, unknown>
  place(inner, path.slice(dot + 1), value)
}

/** Two contexts as one; of two values at one place the first counts. */
export const merged = (first: Fields, second: Fields): Record<string, unknown> => {
  const sum: Record<string, unknown> = { ...second, ...first }
  for (const name in first) if (isFields(first[name]) && isFields(second[name])) sum[name] = merged(first[name], second[name])
  return sum
}

/** The fields that are not named: what a mapping does not know is passed on under its own name. */
export const besides = (from: Fields, known: ReadonlySet<string>): Fields => Object.fromEntries(Object.entries(from).filter(([name]) => !known.has(name)))
