import { createReadStream, existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { text } from 'node:stream/consumers'

/** What the stub answers for each path of the API, whatever is asked of it; other methods than GET stand before the path: `POST /api/…`. */
export type Answers = Readonly<Record<string, unknown>>

/** A request that changes something. */
export interface Change {
  readonly asked: string
  readonly body: unknown
}

export interface Stub {
  readonly url: string
  readonly changes: readonly Change[]
  /** Sends a message to all who listen to /api/live. */
  push(message: unknown): void
  close(): Promise<void>
}

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }

/** The page's files under the page's policy, and an API that answers as told. */
export const startStub = async (folder: string, answers: Answers, policy: string): Promise<Stub> => {
  const listeners = new Set<ServerResponse>()
  const changes: Change[] = []
  const server: Server = createServer((request, response) => {
    const [path = '/'] = (request.url ?? '/').split('?')
    if (request.method !== 'GET') void answerChange(request, response, answers, changes)
    else if (path === '/api/live') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      listeners.add(response)
    } else if (path in answers) response.setHeader('content-type', 'application/json').end(JSON.stringify(answers[path]))
    else sendFile(response, join(folder, path === '/' ? 'index.html' : path), policy)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    changes,
    push: (message) => listeners.forEach((listener) => listener.write(`event: overview\ndata: ${JSON.stringify(message)}\n\n`)),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const answerChange = async (request: IncomingMessage, response: ServerResponse, answers: Answers, changes: Change[]): Promise<void> => {
  const asked = `${request.method} ${request.url}`
  const body = await text(request)
  changes.push({ asked, body: body === '' ? null : JSON.parse(body) })
  if (asked in answers) response.setHeader('content-type', 'application/json').end(JSON.stringify(answers[asked]))
  else response.writeHead(409, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ detail: 'The stub refuses.' }))
}

const sendFile = (response: ServerResponse, file: string, policy: string): void => {
  if (!existsSync(file)) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': policy })
  createReadStream(file).pipe(response)
}
