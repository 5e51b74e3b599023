/**
 * The engine writes a streamed answer as pieces that are each a whole document of the format. For formats
 * without head and foot the pieces simply follow each other; where there is a head of names, it is cut from all
 * pieces but the first; all others cannot be joined and are asked for at once.
 */
export type Framing = 'joined' | 'headed' | 'whole'

type HeadLength = (piece: Uint8Array) => number

export const framingOf = (format: string): Framing =>
  JOINED.has(format) ? 'joined' : headLengthOf(format) ? 'headed' : 'whole'

const JOINED: ReadonlySet<string> = new Set([
  'Native',
  'RowBinary',
  'TabSeparated',
  'TSV',
  'TabSeparatedRaw',
  'TSVRaw',
  'Raw',
  'CSV',
  'JSONEachRow',
  'JSONLines',
  'NDJSON',
  'JSONStringsEachRow',
  'JSONCompactEachRow',
  'JSONCompactStringsEachRow',
  'LineAsString',
  'Null',
])

/** How many bytes of names (and types) stand before the rows; null for a format without such a head. */
export const headLengthOf = (format: string): HeadLength | null => {
  const lines = format.endsWith('WithNamesAndTypes') ? 2 : format.endsWith('WithNames') ? 1 : 0
  if (lines === 0) return null
  const base = format.slice(0, format.lastIndexOf('WithNames'))
  if (base === 'RowBinary') return (piece) => binaryHead(piece, lines)
  if (base === 'CSV') return (piece) => quotedLines(piece, lines)
  // Raw names may hold line feeds, so their end cannot be found.
  if (JOINED.has(base) && !base.includes('Raw')) return (piece) => plainLines(piece, lines)
  return null
}

const FEED = 0x0a
const QUOTE = 0x22

const plainLines = (piece: Uint8Array, lines: number): number => {
  let at = 0
  for (let line = 0; line < lines; line++) {
    const feed = piece.indexOf(FEED, at)
    if (feed < 0) return piece.length
    at = feed + 1
  }
  return at
}

/** A name may hold a line feed within quotes; a doubled quote changes the state twice, so it needs no rule. */
const quotedLines = (piece: Uint8Array, lines: number): number => {
  let quoted = false
  let left = lines
  for (let at = 0; at < piece.length; at++) {
    if (piece[at] === QUOTE) quoted = !quoted
    else if (piece[at] === FEED && !quoted && --left === 0) return at + 1
  }
  return piece.length
}

const binaryHead = (piece: Uint8Array, lists: number): number => {
  const reader = { piece, at: 0 }
  const texts = readVarint(reader) * lists
  for (let text = 0; text < texts; text++) {
    const length = readVarint(reader)
    reader.at += length
  }
  return reader.at
}

const readVarint = (reader: { readonly piece: Uint8Array; at: number }): number => {
  let value = 0
  for (let scale = 1; ; scale *= 128) {
    const byte = reader.piece[reader.at++] ?? 0
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
  }
}

/** A Native block of no rows: without it a client would not learn the columns of an empty answer. */
export const emptyNativeBlock = (columns: readonly { readonly name: string; readonly type: string }[]): Uint8Array =>
  Buffer.concat([
    varint(columns.length),
    varint(0),
    ...columns.flatMap(({ name, type }) => [lengthPrefixed(name), lengthPrefixed(type)]),
  ])

const lengthPrefixed = (text: string): Buffer => {
  const bytes = Buffer.from(text)
  return Buffer.concat([varint(bytes.length), bytes])
}

const varint = (value: number): Buffer => {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  bytes.push(rest)
  return Buffer.from(bytes)
}
