export const QUOTE = 0x22
export const BACKSLASH = 0x5c
export const COMMA = 0x2c
const COLON = 0x3a
export const OPEN_LIST = 0x5b
export const CLOSE_LIST = 0x5d
export const OPEN_OBJECT = 0x7b
export const CLOSE_OBJECT = 0x7d
const MINUS = 0x2d
const PLUS = 0x2b
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const LETTER_U = 0x75

/** Deeper than this, a value is none for the scanner; whoever asks goes the long way. */
export const DEPTH_MAX = 64
export const NONE = -1

/**
 * Where the JSON value at `from` ends, or NONE where there is none. Takes and refuses what JSON.parse does, but for nesting beyond
 * DEPTH_MAX; whether the bytes are UTF-8 is another's question. The hot loop of ingest: every byte passes here once.
 * https://www.rfc-editor.org/rfc/rfc8259
 */
export const endOfValue = (body: Uint8Array, from: number, depth = 0): number => {
  const first = body[from]
  if (first === QUOTE) return endOfString(body, from)
  if (first === OPEN_OBJECT) return depth >= DEPTH_MAX ? NONE : endOfObject(body, from, depth + 1)
  if (first === OPEN_LIST) return depth >= DEPTH_MAX ? NONE : endOfList(body, from, depth + 1)
  if (first === MINUS || (first! >= ZERO && first! <= NINE)) return endOfNumber(body, from)
  return endOfWord(body, from)
}

/** Behind white space. */
export const skipSpace = (body: Uint8Array, from: number): number => {
  // Nearly always there is none.
  if (body[from]! > 0x20) return from
  let at = from
  for (let byte = body[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = body[at]) at++
  return at
}

/** 1 where a run of plain characters in a text ends: a quote, an escape, a control character. */
const ENDS_RUN = Uint8Array.from({ length: 256 }, (_, byte) => (byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 1 : 0))

/** Behind the closing quote of the text at `open`, or NONE. */
export const endOfString = (body: Uint8Array, open: number): number => {
  for (let at = open + 1; ; at++) {
    while (ENDS_RUN[body[at]!] === 0) at++
    if (body[at] === QUOTE) return at + 1
    if (body[at] !== BACKSLASH || (at = endOfEscape(body, at)) === NONE) return NONE
  }
}

/** The last byte of the escape at `at`, or NONE. */
const endOfEscape = (body: Uint8Array, at: number): number => {
  const kind = body[at + 1]
  switch (kind) {
    case QUOTE: case BACKSLASH: case 0x2f: case 0x62: case 0x66: case 0x6e: case 0x72: case 0x74:
      return at + 1
    case LETTER_U:
      return isHex(body[at + 2]) && isHex(body[at + 3]) && isHex(body[at + 4]) && isHex(body[at + 5]) ? at + 5 : NONE
    default:
      return NONE
  }
}

const isHex = (byte: number | undefined): boolean =>
  byte !== undefined && ((byte >= ZERO && byte <= NINE) || (byte >= 0x61 && byte <= 0x66) || (byte >= 0x41 && byte <= 0x46))

const endOfObject = (body: Uint8Array, open: number, depth: number): number => {
  let at = skipSpace(body, open + 1)
  if (body[at] === CLOSE_OBJECT) return at + 1
  for (;;) {
    at = valueOfKey(body, at)
    if (at === NONE) return NONE
    at = endOfValue(body, at, depth)
    if (at === NONE) return NONE
    at = skipSpace(body, at)
    if (body[at] === CLOSE_OBJECT) return at + 1
    if (body[at] !== COMMA) return NONE
    at = skipSpace(body, at + 1)
  }
}

/** Where the value behind the key at `at` begins, or NONE. */
const valueOfKey = (body: Uint8Array, at: number): number => (body[at] === QUOTE ? behindColon(body, endOfString(body, at)) : NONE)

/** Behind the colon that follows a key which ends at `keyEnd`, or NONE. */
export const behindColon = (body: Uint8Array, keyEnd: number): number => {
  if (keyEnd === NONE) return NONE
  const colon = skipSpace(body, keyEnd)
  return body[colon] === COLON ? skipSpace(body, colon + 1) : NONE
}

const endOfList = (body: Uint8Array, open: number, depth: number): number => {
  let at = skipSpace(body, open + 1)
  if (body[at] === CLOSE_LIST) return at + 1
  for (;;) {
    at = endOfValue(body, at, depth)
    if (at === NONE) return NONE
    at = skipSpace(body, at)
    if (body[at] === CLOSE_LIST) return at + 1
    if (body[at] !== COMMA) return NONE
    at = skipSpace(body, at + 1)
  }
}

const endOfNumber = (body: Uint8Array, from: number): number => {
  let at = body[from] === MINUS ? from + 1 : from
  if (body[at] === ZERO) at++
  else if ((at = endOfDigits(body, at)) === NONE) return NONE
  if (body[at] === POINT && (at = endOfDigits(body, at + 1)) === NONE) return NONE
  if (body[at] === 0x65 || body[at] === 0x45) {
    at++
    if (body[at] === PLUS || body[at] === MINUS) at++
    return endOfDigits(body, at)
  }
  return at
}

/** Behind one digit or more, or NONE. */
const endOfDigits = (body: Uint8Array, from: number): number => {
  let at = from
  while (body[at]! >= ZERO && body[at]! <= NINE) at++
  return at === from ? NONE : at
}

const endOfWord = (body: Uint8Array, at: number): number => {
  if (body[at] === 0x74) return body[at + 1] === 0x72 && body[at + 2] === LETTER_U && body[at + 3] === 0x65 ? at + 4 : NONE
  if (body[at] === 0x6e) return body[at + 1] === LETTER_U && body[at + 2] === 0x6c && body[at + 3] === 0x6c ? at + 4 : NONE
  if (body[at] !== 0x66) return NONE
  return body[at + 1] === 0x61 && body[at + 2] === 0x6c && body[at + 3] === 0x73 && body[at + 4] === 0x65 ? at + 5 : NONE
}
