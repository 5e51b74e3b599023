import { createReadStream, existsSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'

/** What the stub answers for each path of the API. */
export type Answers = Readonly<Record<string, unknown>>

export interface Stub {
  readonly url: string
  /** Sends a message to all who listen to /api/live. */
  push(message: unknown): void
  close(): Promise<void>
}

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }

/** The page's files under the page's policy, and an API that answers as told. */
export const startStub = async (folder: string, answers: Answers, policy: string): Promise<Stub> => {
  const listeners = new Set<ServerResponse>()
  const server: Server = createServer((request, response) => {
    const path = request.url ?? '/'
    if (path === '/api/live') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      listeners.add(response)
    } else if (path in answers) response.setHeader('content-type', 'application/json').end(JSON.stringify(answers[path]))
    else sendFile(response, join(folder, path === '/' ? 'index.html' : path), policy)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    push: (message) => listeners.forEach((listener) => listener.write(`event: overview\ndata: ${JSON.stringify(message)}\n\n`)),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const sendFile = (response: ServerResponse, file: string, policy: string): void => {
  if (!existsSync(file)) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': policy })
  createReadStream(file).pipe(response)
}
