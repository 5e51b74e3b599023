import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../tidy/source-tree.ts'

export interface Ran {
  readonly code: number
  /** What it printed, errors included. */
  readonly text: string
}

/** Runs a built program of the package `up` to its end, as npm does. */
export const runProgram = (path: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'packages/up/dist', path), ...args], { env: { ...process.env, ...env }, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, text: stdout + stderr }))
  })
