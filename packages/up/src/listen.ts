import { createServer } from 'node:net'
import { StartFault } from './folder/fault.ts'

export interface Address {
  readonly host: string
  readonly port: number
  /** The flag that chooses another. */
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
export const listenFault = ({ host, port, flag }: Address, error: unknown): Error => {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return new StartFault(`Port ${port} on ${host} is in use by another program: stop that one, or choose another port with ${flag}.`)
  if (code === 'EACCES') return new StartFault(`Port ${port} on ${host} may not be used by this user: choose one above 1023 with ${flag}.`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return new StartFault(`This machine has no address ${host}: choose another with --host.`)
  return error as Error
}

/** An address as it stands in a URL that a person on this machine can open. */
export const urlOf = (host: string, port: number): string => {
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`
}
