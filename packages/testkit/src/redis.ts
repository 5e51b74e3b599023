import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, untilListening } from './listening.ts'
import { redisServer } from './redis-server.ts'

/** A real Redis on 127.0.0.1, for the time of a test. */
export interface RunningRedis {
  readonly url: string
  readonly port: number
  /** Where its append-only file is. */
  readonly folder: string
  /** One command past the client under test; the first line of the answer as it is on the wire. */
  command(...words: readonly string[]): Promise<string>
  /** A section of INFO. */
  info(section: string): Promise<string>
  /** kill -9. */
  kill(): Promise<void>
  /** Holds it, so that it takes commands and answers none. */
  freeze(): void
  thaw(): void
  /** Starts it again over the same folder; kills it before if it still runs. */
  restart(): Promise<void>
  /** Kills it and removes its folder. */
  stop(): Promise<void>
}

/** Why no Redis can be started here, or null. May fetch one into `cacheFolder`. */
export const redisMissing = (cacheFolder: string): string | null => {
  try {
    redisServer(cacheFolder)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

/** Starts a server on a free port, with an append-only file that is synced at each write, unless `settings` say otherwise. */
export const startRedis = async (cacheFolder: string, settings: Readonly<Record<string, string>> = {}): Promise<RunningRedis> => {
  const command = redisServer(cacheFolder)
  const folder = join(tmpdir(), `millrace-redis-${process.pid}-${process.hrtime.bigint()}`)
  const port = await freePort()
  await mkdir(folder, { recursive: true })
  const all = { port: String(port), bind: '127.0.0.1', dir: folder, save: '', appendonly: 'yes', appendfsync: 'always', ...settings }
  const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])
  let server: ChildProcess | null = null
  const kill = async (): Promise<void> => {
    const ending = server
    server = null
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
    const ended = new Promise((resolve) => ending.once('exit', resolve))
    ending.kill('SIGKILL')
    await ended
  }
  const restart = async (): Promise<void> => {
    await kill()
    server = spawn(command, args, { stdio: 'ignore' })
    await untilListening('Redis', port, server)
  }
  await restart()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
    command: async (...words) => (await askRedis(port, words)).split('\r\n', 1)[0]!,
    info: (section) => askRedis(port, ['INFO', section]),
    kill,
    restart,
    stop: async () => {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** One command to the Redis at a port of this machine. The answer as it is on the wire; of a text also what its length promises. */
export const askRedis = (port: number, words: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1')
    let answer = Buffer.alloc(0)
    socket.once('error', reject)
    socket.on('data', (bytes) => {
      answer = Buffer.concat([answer, bytes])
      const end = answer.indexOf('\r\n')
      if (end < 0) return
      const text = /^\$(\d+)/.exec(answer.toString('latin1', 0, end))
      if (text && answer.length < end + 2 + Number(text[1]) + 2) return
      socket.destroy()
      resolve(answer.toString())
    })
    socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`)
  })
