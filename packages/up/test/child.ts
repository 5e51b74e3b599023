import { spawn, type SpawnOptions } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const READY_MS_MAX = 120_000

export interface Child {
  readonly pid: number
  output(): string
  /** Exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>
  kill(signal: NodeJS.Signals): void
}

const running: Child[] = []
const folders: string[] = []

/** The built program as a user starts it, on ports that the system chooses. */
export const start = (folder: string, args: readonly string[] = [], options: SpawnOptions = {}): Child => {
  const ports = args.includes('--port') ? [] : ['--port', '0', '--clickhouse-port', '0']
  const child = spawn(process.execPath, [MAIN, '--data-dir', folder, ...ports, ...args], {
    ...options,
    env: { ...process.env, UV_THREADPOOL_SIZE: '16', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (text += String(chunk)))
  const started: Child = {
    pid: child.pid ?? 0,
    output: () => text,
    ended: new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'))),
    kill: (signal) => void child.kill(signal),
  }
  running.push(started)
  return started
}

export interface Screen {
  readonly url: string
  readonly clickhouse: string
  readonly writeKey: string
  readonly link: string
  readonly curl: string
}

/** What the first screen says, once it is there. */
export const screenOf = async (child: Child): Promise<Screen> => {
  await until(() => child.output().includes('Ask in SQL'), child)
  const find = (pattern: RegExp): string => pattern.exec(child.output())?.[1] ?? ''
  return {
    url: find(/Events +(http:\/\/[^/]+)/),
    clickhouse: find(/ClickHouse +(http:\/\/\S+)/),
    writeKey: find(/Write key +(\S+)/),
    link: find(/Page +(\S+)/),
    curl: find(/^ *(curl \S+\/v1\/track .*)$/m),
  }
}

export const until = async (true_: () => boolean | Promise<boolean>, child?: Child, msMax = READY_MS_MAX): Promise<void> => {
  const deadline = performance.now() + msMax
  let ended: number | string | undefined
  void child?.ended.then((code) => (ended = code))
  while (!(await true_())) {
    if (ended !== undefined) throw new Error(`it ended with ${ended}: ${child?.output()}`)
    if (performance.now() > deadline) throw new Error(`not so in time: ${child?.output()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-up-'))
  folders.push(folder)
  return folder
}

/** Ends what is left and removes the folders. */
export const cleanUp = async (): Promise<void> => {
  for (const child of running.splice(0)) {
    child.kill('SIGKILL')
    await child.ended
  }
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
}
