import { join } from 'node:path'
import { stackLacks } from '../../infra/local/stack.mjs'
import { root } from '../tidy/source-tree.ts'
import { skipped } from './requirements.ts'

/** Whether the stack cannot run on this machine; told aloud, with what it lacks. */
export const stackSkipped = (what: string): boolean => {
  const lacks = stackLacks(join(root, 'node_modules/.cache/millrace'))
  return skipped(['kafka', 'redis'], what, lacks.length === 0 ? null : lacks.join(' '))
}
