import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Env } from '../config.ts'

/** Runs a built program of the replay to its end; a process each, since chDB opens one folder in each. @returns its exit code */
export const runReplayProgram = (program: string, args: readonly string[], env?: Env): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL(`./${program}`, import.meta.url)), ...args], { stdio: ['ignore', 'inherit', 'inherit'], ...(env && { env }) })
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })

/** What a kill left unhandled is handled, as the next start would. */
export const finishFolder = (folder: string, ...more: readonly string[]): Promise<number> => runReplayProgram('finish/main.js', [folder, ...more])
