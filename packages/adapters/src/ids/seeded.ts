import { createHash } from 'node:crypto'
import type { Ids } from '@millrace/ports'

/** The same ids for the same seed, for tests. Never for keys that must be secret. */
export const createSeededIds = (seed: string): Ids => {
  let counter = 0
  const bytes = (length: number): Buffer => {
    const parts: Buffer[] = []
    for (let have = 0; have < length; have += 32) {
      parts.push(createHash('sha256').update(`${seed}:${counter++}`).digest())
    }
    return Buffer.concat(parts).subarray(0, length)
  }
  return {
    uuid: () => {
      const raw = bytes(16)
      raw[6] = (raw[6]! & 0x0f) | 0x40
      raw[8] = (raw[8]! & 0x3f) | 0x80
      const hex = raw.toString('hex')
      return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
    },
    secret: (length) => bytes(length).toString('hex'),
  }
}
