import { join } from 'node:path'
import { redisMissing } from '@millrace/testkit'

export const cache = join(import.meta.dirname, '../../node_modules/.cache/millrace')
/** Why the tests of this folder cannot run here, or null. */
export const missing = redisMissing(cache)
