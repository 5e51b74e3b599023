import { randomBytes, randomUUID } from 'node:crypto'
import type { Ids } from '@millrace/ports'

/** Chance from the operating system. */
export const createSystemIds = (): Ids => ({
  uuid: () => randomUUID(),
  secret: (bytes) => randomBytes(bytes).toString('hex'),
})
