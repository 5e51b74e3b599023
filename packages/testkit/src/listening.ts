import type { ChildProcess } from 'node:child_process'
import { createConnection, createServer } from 'node:net'

const START_TIMEOUT_MS = 60_000

/** A port of 127.0.0.1 that nobody has now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })

/** Resolves when the server takes connections. @throws when it ends before, or takes longer than a minute */
export const untilListening = async (name: string, port: number, server: ChildProcess): Promise<void> => {
  const deadline = performance.now() + START_TIMEOUT_MS
  while (performance.now() < deadline) {
    if (server.exitCode !== null) throw new Error(`${name} ended with code ${server.exitCode} while it started`)
    const open = await new Promise<boolean>((resolve) => {
      const socket = createConnection(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.end())
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  server.kill('SIGKILL')
  throw new Error(`${name} did not listen within ${START_TIMEOUT_MS} ms`)
}
