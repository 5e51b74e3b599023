import { execFile } from 'node:child_process'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Which process is what, for people and for the next start: `processes.json` in the data folder. */
export interface ProcessList {
  set(name: string, pid: number | null): void
}

export const createProcessList = (folder: string): ProcessList => {
  const pids = new Map<string, number>()
  return {
    set: (name, pid) => {
      if (pid === null) pids.delete(name)
      else pids.set(name, pid)
      const path = pathOf(folder)
      writeFileSync(`${path}.next`, `${JSON.stringify(Object.fromEntries(pids), null, 2)}\n`)
      renameSync(`${path}.next`, path)
    },
  }
}

const END_MS_MAX = 10_000
const LOOK_MS = 100

/**
 * Ends what a killed launcher has left running on this folder: two brokers on one log would spoil it. A process counts as
 * ours only when the folder stands in its command line, since the system gives numbers again.
 */
export const endLeftovers = async (folder: string): Promise<readonly string[]> => {
  const left: [string, number][] = []
  for (const [name, pid] of Object.entries(listed(folder))) if (await isOurs(pid, folder)) left.push([name, pid])
  for (const [, pid] of left) end(pid, 'SIGTERM')
  const deadline = performance.now() + END_MS_MAX
  for (const [, pid] of left) {
    while (await isOurs(pid, folder)) {
      if (performance.now() > deadline) end(pid, 'SIGKILL')
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }
  return left.map(([name]) => name)
}

const pathOf = (folder: string): string => join(folder, 'processes.json')

const listed = (folder: string): Readonly<Record<string, number>> => {
  try {
    return JSON.parse(readFileSync(pathOf(folder), 'utf8')) as Record<string, number>
  } catch {
    // None yet, or cut by a crash: then there is nothing that could be told.
    return {}
  }
}

const run = promisify(execFile)

const isOurs = (pid: number, folder: string): Promise<boolean> =>
  run('ps', ['-o', 'command=', '-p', String(pid)]).then(({ stdout }) => stdout.includes(folder) && !stdout.includes('<defunct>'), () => false)

const end = (pid: number, signal: 'SIGTERM' | 'SIGKILL'): void => {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
