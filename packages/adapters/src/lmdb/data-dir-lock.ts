import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { link, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Another process works in this folder; two would spoil each other's work. */
export class DataDirHeld extends Error {
  override readonly name = 'DataDirHeld'
  readonly code = 'DATA_DIR_HELD'
}

interface Holder {
  readonly host: string
  /** Changes with each start of the machine; empty where it is not told. */
  readonly boot: string
  readonly pid: number
  /** When the process started: a number that comes round again does not count as the same process. */
  readonly started: string
}

const BEAT_MS = 5_000
const BEAT_OLD_MS = 30_000

/**
 * Holds the folder for this process until `release`, or until the process is gone, however it went.
 *
 * Lock files are numbered, the highest one counts. Taking over means making the next number, which only one
 * process can do; nobody ever makes a number free again, so a process that looked long ago cannot slip in.
 * @throws DataDirHeld
 */
export const holdDataDir = async (dir: string): Promise<{ release(): Promise<void> }> => {
  const me = await holderOf(process.pid)
  const top = await highest(dir)
  if (top > 0 && (await isHeld(fileOf(dir, top)))) throw held(dir)
  const file = fileOf(dir, top + 1)
  if (!(await create(dir, file, me))) throw held(dir)
  if ((await highest(dir)) !== top + 1) {
    await rm(file, { force: true })
    throw held(dir)
  }
  await removeBelow(dir, top + 1)
  const beat = setInterval(() => void touch(file), BEAT_MS)
  beat.unref()
  return {
    release: async () => {
      clearInterval(beat)
      // An empty file is held by nobody, and needs no room that a full disk would not give. Whoever took over has removed it.
      await truncate(file).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : Promise.reject(error)))
    },
  }
}

const held = (dir: string): DataDirHeld => new DataDirHeld(`the folder ${dir} is in use by another process`)

const NAME = /^holder\.(\d+)$/
const fileOf = (dir: string, number: number): string => join(dir, `holder.${number}`)

const numbers = async (dir: string): Promise<number[]> =>
  (await readdir(dir)).flatMap((name) => NAME.exec(name)?.[1] ?? []).map(Number)

const highest = async (dir: string): Promise<number> => Math.max(0, ...(await numbers(dir)))

const removeBelow = async (dir: string, number: number): Promise<void> => {
  for (const old of await numbers(dir)) if (old < number) await rm(fileOf(dir, old), { force: true })
}

// A link appears with its whole content, and not at all when the name is taken.
const create = async (dir: string, file: string, holder: Holder): Promise<boolean> => {
  const draft = join(dir, `.holder-${randomUUID()}`)
  try {
    await writeFile(draft, JSON.stringify(holder))
    await link(draft, file)
    return true
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    // A full disk does not say which.
    throw Object.assign(new Error(`the folder ${dir} cannot be taken: ${message}`, { cause: error }), { code })
  } finally {
    await rm(draft, { force: true })
  }
}

const touch = async (file: string): Promise<void> => {
  const now = performance.timeOrigin / 1000 + performance.now() / 1000
  await utimes(file, now, now).catch(() => undefined)
}

const isHeld = async (file: string): Promise<boolean> => {
  const holder = await readHolder(file)
  if (!holder) return false
  const here = await holderOf(holder.pid)
  // Another machine or container: its processes cannot be seen, but it touches its file as long as it lives.
  if (holder.host !== here.host) return ageMs((await stat(file)).mtimeMs) < BEAT_OLD_MS
  return holder.boot === here.boot && here.started !== '' && holder.started === here.started
}

const ageMs = (mtimeMs: number): number => performance.timeOrigin + performance.now() - mtimeMs

const readHolder = async (file: string): Promise<Holder | undefined> => {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Holder
  } catch {
    return undefined
  }
}

const holderOf = async (pid: number): Promise<Holder> => ({
  host: hostname(),
  boot: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim(),
  pid,
  started: await startOf(pid),
})

/** Empty when there is no such process. */
const startOf = async (pid: number): Promise<string> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // Behind the name in brackets, which may itself hold blanks: state is field 3, the start is field 22.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  if (text) return fields[0] === 'Z' || fields[0] === 'X' ? '' : (fields[19] ?? '')
  if (process.platform === 'linux') return ''
  const listed = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return listed.stdout.trim()
}
