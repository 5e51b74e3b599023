import { createHash } from 'node:crypto'

/** A message id made of what tells one event of a protocol from all others, where no single field does. */
export const hashedId = (...parts: readonly unknown[]): string =>
  `h-${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)}`
