import {
  behindColon, endOfString, endOfValue, skipSpace, BACKSLASH, CLOSE_LIST, COMMA, NONE, OPEN_LIST, OPEN_OBJECT, QUOTE,
} from './json-scan.ts'

/** Where one event lies in a body. */
export interface Slice {
  readonly start: number
  readonly end: number
}

/**
 * The elements of the top-level list `name`, as bytes: events are passed on as they were sent, without a second serialisation. The
 * text must already have been read by JSON.parse. Null when the list is not found, when a key is written with escapes, so that what
 * is found might not be what JSON.parse saw, or when it is nested very deeply.
 */
export const splitBatch = (body: Buffer, name = 'batch'): readonly Slice[] | null => {
  let at = skipSpace(body, 0)
  if (body[at] !== OPEN_OBJECT) return null
  let found: readonly Slice[] | null = null
  at = skipSpace(body, at + 1)
  while (body[at] === QUOTE) {
    const keyEnd = endOfString(body, at)
    if (keyEnd === NONE || body.subarray(at, keyEnd).includes(BACKSLASH)) return null
    const value = behindColon(body, keyEnd)
    const isNamed = body.toString('utf8', at + 1, keyEnd - 1) === name
    const list = isNamed && body[value] === OPEN_LIST ? splitList(body, value) : null
    // A later key of the same name replaces an earlier one, as in JSON.parse.
    if (isNamed) found = list?.slices ?? null
    const end = list ? list.end : endOfValue(body, value)
    if (end === NONE) return null
    at = nextItem(body, end)
  }
  return found
}

/** The elements of a body that is a list itself. Null as of `splitBatch`. */
export const splitBody = (body: Buffer): readonly Slice[] | null => {
  const start = skipSpace(body, 0)
  return body[start] === OPEN_LIST ? (splitList(body, start)?.slices ?? null) : null
}

/** The one value of a body, without the space around it. */
export const sliceOfBody = (body: Buffer): Slice => {
  const start = skipSpace(body, 0)
  const end = endOfValue(body, start)
  return { start, end: end === NONE ? body.length : end }
}

const splitList = (body: Buffer, open: number): { slices: readonly Slice[]; end: number } | null => {
  const slices: Slice[] = []
  let at = skipSpace(body, open + 1)
  while (at < body.length && body[at] !== CLOSE_LIST) {
    const end = endOfValue(body, at)
    if (end === NONE) return null
    slices.push({ start: at, end })
    at = nextItem(body, end)
  }
  return { slices, end: at + 1 }
}

const nextItem = (body: Buffer, end: number): number => {
  const at = skipSpace(body, end)
  return body[at] === COMMA ? skipSpace(body, at + 1) : at
}
