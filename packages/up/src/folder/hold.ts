import { createHash } from 'node:crypto'
import { mkdir, realpath, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileFault, StartFault } from './fault.ts'

/**
 * Holds the folder for this process until `release` or until the process ends, in whatever way: a socket named after the
 * folder, which the system frees with the process, so nothing stale is left by `kill -9`. (Between containers that share
 * a folder the names are apart; there chDB's own file lock refuses the second.) @throws StartFault when it is held
 */
export const holdFolder = async (folder: string): Promise<{ release(): Promise<void> }> => {
  const name = await nameOf(folder)
  const server = createServer((socket) => socket.end())
  if (!(await listens(server, name)) && !(await takeOver(server, name))) {
    throw new StartFault(`The data folder ${folder} is in use by another Millrace on this machine: stop that one, or choose another folder with --data-dir.`)
  }
  // Holding is no reason for the process to stay.
  server.unref()
  return { release: () => new Promise((resolve) => server.close(() => resolve())) }
}

const nameOf = async (folder: string): Promise<string> => {
  const real = await mkdir(folder, { recursive: true }).then(() => realpath(folder)).catch((error: unknown) => {
    throw fileFault(folder, error) ?? error
  })
  const name = `millrace-${createHash('sha256').update(real).digest('hex').slice(0, 24)}`
  // Linux has names of sockets without files; elsewhere a file in the folder for temporary ones.
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), `${name}.sock`)
}

const listens = (server: Server, name: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error))
    server.once('error', failed)
    server.listen(name, () => {
      server.off('error', failed)
      resolve(true)
    })
  })

/** A socket file without a listener is what a killed process left. */
const takeOver = async (server: Server, name: string): Promise<boolean> => {
  if (name.startsWith('\0') || (await answers(name))) return false
  await rm(name, { force: true })
  return listens(server, name)
}

const answers = (name: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(name)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
