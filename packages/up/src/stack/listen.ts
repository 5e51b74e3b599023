import type { Server } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { type Address, urlOf } from '@millrace/service-kit'

/** A port that nobody has now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

const OPEN_REQUESTS_MS_MAX = 3_000

/** Listens until `close`, which gives what is open three seconds. */
export const listenAt = async (server: Server, { host, port }: Address): Promise<{ readonly url: string; close(): Promise<void> }> => {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve())
  })
  return {
    url: urlOf(host, (server.address() as AddressInfo).port),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const force = setTimeout(() => server.closeAllConnections(), OPEN_REQUESTS_MS_MAX)
      await closed
      clearTimeout(force)
    },
  }
}
