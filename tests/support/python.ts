import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../tidy/source-tree.ts'
import { skipped } from './requirements.ts'

/** What analysts use; pinned, so that a new release of theirs fails no test of ours. */
const PACKAGES = ['clickhouse-connect==1.12.0', 'pandas==2.3.3']
const INSTALL_MS_MAX = 240_000

/** A Python that has `clickhouse_connect` and `pandas`. */
export interface Python {
  readonly command: string
  readonly env: Readonly<Record<string, string>>
}

const run = promisify(execFile)

/**
 * `$MILLRACE_PYTHON`, or `python3`: as it is when it has the packages, else with them in a folder of ours, installed
 * once. Null, and said aloud, where there is no Python or no registry.
 */
export const analystsPython = async (): Promise<Python | null> => {
  const command = process.env['MILLRACE_PYTHON'] ?? 'python3'
  try {
    const tag = (await run(command, ['-c', 'import sys; print(sys.implementation.cache_tag)'])).stdout.trim()
    const own: Python = { command, env: { PYTHONPATH: folderOf(tag) } }
    for (const python of [{ command, env: {} }, own]) if (await hasPackages(python)) return python
    await install(command, folderOf(tag))
    return own
  } catch (error) {
    skipped(['python'], `what needs ${PACKAGES.join(' and ')}`, `none for ${command}: ${reasonOf(error)}`)
    return null
  }
}

const folderOf = (tag: string): string => join(root, 'node_modules/.cache/millrace/python', `${tag}-${PACKAGES.join('-').replaceAll('==', '-')}`)

const hasPackages = ({ command, env }: Python): Promise<boolean> =>
  run(command, ['-c', 'import clickhouse_connect, pandas'], { env: { ...process.env, ...env } }).then(() => true, () => false)

/** Whole or not at all: another test file may be doing the same. */
const install = async (command: string, folder: string): Promise<void> => {
  mkdirSync(join(folder, '..'), { recursive: true })
  const made = mkdtempSync(`${folder}-`)
  try {
    await run(command, ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--only-binary=:all:', '--target', made, ...PACKAGES], { timeout: INSTALL_MS_MAX })
    if (!existsSync(folder)) renameSync(made, folder)
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}

const reasonOf = (error: unknown): string => {
  const { stderr, message } = error as { stderr?: string; message: string }
  return (stderr || message).trim().split('\n').at(-1)!
}
