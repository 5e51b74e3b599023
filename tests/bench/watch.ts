import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Length of a tick in /proc on every Linux that Node serves. */
const TICK_MICROS = 10_000

/** Time that a process with all its threads has had of the processors so far, in microseconds. */
export const cpuMicros = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROS
}

export interface Memory {
  /** Held by the process, mapped files included. */
  readonly residentMb: number
  /** Of it what the system cannot take back when others need it. */
  readonly ownMb: number
  readonly peakMb: number
}

export const memoryOf = (pid: number): Memory => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const mb = (name: string): number => Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024)
  return { residentMb: mb('VmRSS'), ownMb: mb('RssAnon'), peakMb: mb('VmHWM') }
}

/** What a folder takes on disk, in MB: blocks, not lengths. */
export const diskMb = (path: string): number => Math.round(blocksOf(path) / 2048)

const blocksOf = (path: string): number => {
  const entry = lstatSync(path, { throwIfNoEntry: false })
  if (!entry) return 0
  return entry.blocks + (entry.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + blocksOf(join(path, name)), 0) : 0)
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Share of one processor that a process takes, in percent. */
export const cpuPercent = async (pid: number, ms: number): Promise<number> => {
  const [before, startedAt] = [cpuMicros(pid), performance.now()]
  await sleep(ms)
  return (cpuMicros(pid) - before) / (performance.now() - startedAt) / 10
}
