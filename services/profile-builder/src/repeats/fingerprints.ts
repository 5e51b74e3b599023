import { hash } from 'node:crypto'

/** Bytes of a fingerprint: at a billion ids the chance that any two are alike is below 10⁻¹⁰. */
export const FINGERPRINT_BYTES = 12
const WORDS = 3
const LOAD_MAX = 0.8
const GROWTH = 1.25
const CAPACITY_FIRST = 64

/** Three words of 32 bits; the first is never 0, which marks a free place in the table. */
export type Fingerprint = readonly [number, number, number]

/** What is remembered of one message: nothing but this. A digest, so that no sender can aim at another's message. */
export const fingerprintOf = (project: number, key: string, messageId: string): Fingerprint => {
  // One character a byte: this form of the digest is made without a buffer of its own.
  const digest = hash('sha1', `${project}\n${key}\n${messageId}`, 'binary')
  return [word(digest, 0) || 1, word(digest, 4), word(digest, 8)]
}

const word = (text: string, at: number): number =>
  (text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8) | (text.charCodeAt(at + 2) << 16) | (text.charCodeAt(at + 3) << 24)) >>> 0

export const readFingerprint = (bytes: Buffer, at: number): Fingerprint => [
  bytes.readUInt32LE(at),
  bytes.readUInt32LE(at + 4),
  bytes.readUInt32LE(at + 8),
]

export const writeFingerprint = (bytes: Buffer, at: number, [a, b, c]: Fingerprint): void => {
  bytes.writeUInt32LE(a, at)
  bytes.writeUInt32LE(b, at + 4)
  bytes.writeUInt32LE(c, at + 8)
}

/** A set of fingerprints, 15 to 19 bytes an id: open addressing in one array that grows by a quarter. */
export class Fingerprints {
  private words = new Uint32Array(CAPACITY_FIRST * WORDS)
  private capacity = CAPACITY_FIRST
  size = 0

  get bytes(): number {
    return this.words.byteLength
  }

  has(fingerprint: Fingerprint): boolean {
    return this.words[this.placeOf(fingerprint[0], fingerprint[1], fingerprint[2]) * WORDS] !== 0
  }

  /** False when it was there. */
  add(fingerprint: Fingerprint): boolean {
    const a = fingerprint[0]
    const b = fingerprint[1]
    const c = fingerprint[2]
    const place = this.placeOf(a, b, c) * WORDS
    if (this.words[place] !== 0) return false
    this.words[place] = a
    this.words[place + 1] = b
    this.words[place + 2] = c
    if (++this.size > this.capacity * LOAD_MAX) this.grow()
    return true
  }

  /** The place that holds it, or the free one where it belongs. */
  private placeOf(a: number, b: number, c: number): number {
    const { words, capacity } = this
    // The upper bits choose the place, so that growing keeps the order and any capacity serves.
    let place = Math.floor((a / 4_294_967_296) * capacity)
    for (;;) {
      const at = place * WORDS
      if (words[at] === 0 || (words[at] === a && words[at + 1] === b && words[at + 2] === c)) return place
      place = place + 1 === capacity ? 0 : place + 1
    }
  }

  private grow(): void {
    const before = this.words
    this.capacity = Math.ceil(this.capacity * GROWTH)
    this.words = new Uint32Array(this.capacity * WORDS)
    for (let at = 0; at < before.length; at += WORDS) {
      if (before[at] === 0) continue
      const place = this.placeOf(before[at]!, before[at + 1]!, before[at + 2]!) * WORDS
      this.words[place] = before[at]!
      this.words[place + 1] = before[at + 1]!
      this.words[place + 2] = before[at + 2]!
    }
  }
}
