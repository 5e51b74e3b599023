import { createServer, type AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Part } from './run.ts'
import { StartFault } from './start-fault.ts'

export interface Address {
  readonly host: string
  readonly port: number
  /** The flag or variable that chooses another. */
  readonly flag: string
}

/** Finds out before anything is opened whether we could listen there. @throws StartFault */
export const proveFree = (address: Address): Promise<void> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => reject(listenFault(address, error)))
    server.listen(address.port, address.host, () => server.close(() => resolve()))
  })

/** The sentence for a listen that failed. */
const listenFault = ({ host, port, flag }: Address, error: unknown): Error => {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return new StartFault(`Port ${port} on ${host} is in use by another program: stop that one, or choose another port with ${flag}.`)
  if (code === 'EACCES') return new StartFault(`Port ${port} on ${host} may not be used by this user: choose one above 1023 with ${flag}.`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return new StartFault(`This machine has no address ${host}: choose another one to listen on.`)
  return error as Error
}

const OPEN_REQUESTS_MS_MAX = 3_000

/** An HTTP server as a part: listens last, closes first; what is open then has three seconds to end. */
export const doorPart = (name: string, app: FastifyInstance, address: Address, listens: (url: string) => void): Part => ({
  name,
  start: async () => {
    await app.listen({ host: address.host, port: address.port }).catch((error: unknown) => {
      throw listenFault(address, error)
    })
    listens(urlOf(address.host, (app.server.address() as AddressInfo).port))
  },
  stop: async () => {
    // A page that listens for live events would hold the door open for ever.
    const force = setTimeout(() => app.server.closeAllConnections(), OPEN_REQUESTS_MS_MAX)
    await app.close()
    clearTimeout(force)
  },
})

/** An address as it stands in a URL that a person on this machine can open. */
export const urlOf = (host: string, port: number): string => {
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`
}
