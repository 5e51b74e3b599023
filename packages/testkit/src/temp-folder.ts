import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TempFolder {
  readonly path: string
  /** A path inside, which need not exist. */
  at(...names: string[]): string
  remove(): Promise<void>
}

/** A folder of its own for a test. */
export const createTempFolder = async (name: string): Promise<TempFolder> => {
  const path = await mkdtemp(join(tmpdir(), `millrace-${name}-`))
  return { path, at: (...names) => join(path, ...names), remove: () => rm(path, { recursive: true, force: true }) }
}
