import type { Line } from './sort-events.ts'

const FEED = 0x0a
const SPACE = 0x20
const CLOSE = 0x7d

/** Lines as a record holds them, each ended by one line feed; one that the sender wrote between tokens becomes a space. */
export const joinLines = (lines: readonly Line[]): Buffer => {
  let length = 0
  for (const { start, end, added } of lines) length += end - start + 1 + (added === null ? 0 : added.length)
  const out = Buffer.allocUnsafe(length)
  let at = 0
  let seen: Buffer | null = null
  let feeds = false
  for (const { bytes, start, end, added } of lines) {
    // Most bodies have none; lines of one body share the look.
    if (bytes !== seen) {
      seen = bytes
      feeds = bytes.includes(FEED)
    }
    const from = at
    at += bytes.copy(out, at, start, added === null ? end : end - 1)
    if (feeds) for (let feed = out.indexOf(FEED, from); feed >= 0 && feed < at; feed = out.indexOf(FEED, feed + 1)) out[feed] = SPACE
    if (added !== null) {
      at += added.copy(out, at)
      out[at++] = CLOSE
    }
    out[at++] = FEED
  }
  return out
}
