/** Where one event lies in a body, and how deep it is nested. */
export interface Slice {
  readonly start: number
  readonly end: number
  readonly depth: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const SPACE = 0x20

/**
 * The elements of the top-level list `batch`, as bytes: events are passed on as they were sent, without a second
 * serialisation. The text must already have been read by JSON.parse. Null when the list is not found, or when a key is
 * written with escapes, so that what is found might not be what JSON.parse saw.
 */
export const splitBatch = (body: Buffer): readonly Slice[] | null => {
  let at = skipSpace(body, 0)
  if (body[at] !== OPEN_OBJECT) return null
  let found: readonly Slice[] | null = null
  at = skipSpace(body, at + 1)
  while (at < body.length && body[at] === QUOTE) {
    const keyEnd = skipString(body, at)
    if (hasEscape(body, at, keyEnd)) return null
    const value = skipSpace(body, skipSpace(body, keyEnd) + 1)
    const isBatch = keyEnd - at === 7 && body.toString('latin1', at, keyEnd) === '"batch"'
    const list = isBatch && body[value] === OPEN_LIST ? elementsOf(body, value) : null
    // A later key of the same name replaces an earlier one, as in JSON.parse.
    if (isBatch) found = list?.slices ?? null
    at = nextItem(body, list ? list.end : skipValue(body, value).end)
  }
  return found
}

/** The one value of a body, without the space around it. */
export const sliceOfBody = (body: Buffer): Slice => {
  const start = skipSpace(body, 0)
  return { start, ...skipValue(body, start) }
}

const elementsOf = (body: Buffer, open: number): { slices: readonly Slice[]; end: number } => {
  const slices: Slice[] = []
  let at = skipSpace(body, open + 1)
  while (at < body.length && body[at] !== CLOSE_LIST) {
    const { end, depth } = skipValue(body, at)
    slices.push({ start: at, end, depth })
    at = nextItem(body, end)
  }
  return { slices, end: at + 1 }
}

const nextItem = (body: Buffer, end: number): number => {
  const at = skipSpace(body, end)
  return body[at] === COMMA ? skipSpace(body, at + 1) : at
}

const skipSpace = (body: Buffer, from: number): number => {
  let at = from
  while (at < body.length && body[at]! <= SPACE) at++
  return at
}

const skipString = (body: Buffer, open: number): number => {
  let at = open + 1
  while (at < body.length && body[at] !== QUOTE) at += body[at] === BACKSLASH ? 2 : 1
  return at + 1
}

const hasEscape = (body: Buffer, from: number, to: number): boolean => {
  for (let at = from; at < to; at++) if (body[at] === BACKSLASH) return true
  return false
}

const skipValue = (body: Buffer, from: number): { end: number; depth: number } => {
  const first = body[from]
  if (first === QUOTE) return { end: skipString(body, from), depth: 0 }
  if (first === OPEN_OBJECT || first === OPEN_LIST) return skipNested(body, from)
  let at = from
  while (at < body.length && !endsScalar(body[at]!)) at++
  return { end: at, depth: 0 }
}

const endsScalar = (byte: number): boolean =>
  byte <= SPACE || byte === COMMA || byte === COLON || byte === CLOSE_LIST || byte === CLOSE_OBJECT

/** The hot loop: every byte of every event passes here once. */
const skipNested = (body: Buffer, from: number): { end: number; depth: number } => {
  const length = body.length
  let open = 0
  let depth = 0
  for (let at = from; at < length; at++) {
    const byte = body[at]!
    if (byte === QUOTE) {
      let inside = body[++at]!
      while (inside !== QUOTE && at < length) inside = body[inside === BACKSLASH ? (at += 2) : ++at]!
    } else if (byte < OPEN_LIST) {
      // Space, comma, colon and numbers: most of what is outside of texts.
      continue
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (++open > depth) depth = open
    } else if ((byte === CLOSE_OBJECT || byte === CLOSE_LIST) && --open === 0) {
      return { end: at + 1, depth }
    }
  }
  return { end: length, depth }
}
