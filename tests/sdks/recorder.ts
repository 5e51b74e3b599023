import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Exchange } from '../../services/ingest/test/golden.ts'

export interface Recorder {
  readonly url: string
  readonly exchanges: readonly Exchange[]
  /** Resolves when nothing has come for so long. */
  quiet(ms: number): Promise<void>
  close(): Promise<void>
}

/** What an ingest could look at; the rest of the headers is of no use in a recording. */
const HEADERS = /^(?:content-type|content-encoding|authorization|origin|user-agent|cookie|access-control-request-.*|x-write-key|x-retry-count|anonymousid|sentat|dry-run|openpanel-.*|x-umami-cache|rsa-.*|(?:x-)?posthog-.*|x-forwarded-for)$/
const ANSWER_LENGTH_MAX = 2_000

/** Stands before an ingest, passes each request on as it came, and keeps it with its answer. `now` is what ingest takes for the time. */
export const startRecorder = async (target: string, setTime: (at: number) => void): Promise<Recorder> => {
  const exchanges: Exchange[] = []
  let open = 0
  let lastAt = performance.now()
  const server = createServer((request, response) => {
    open++
    pass(target, request, response, setTime).then((exchange) => exchanges.push(exchange), (error: unknown) => response.destroy(error as Error)).finally(() => {
      open--
      lastAt = performance.now()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    quiet: async (ms) => {
      for (;;) {
        const left = open > 0 ? ms : ms - (performance.now() - lastAt)
        if (left <= 0) return
        await new Promise((resolve) => setTimeout(resolve, left))
      }
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const pass = async (target: string, request: IncomingMessage, response: ServerResponse, setTime: (at: number) => void): Promise<Exchange> => {
  const body = await buffer(request)
  const at = Date.now()
  setTime(at)
  const { method = 'GET', url = '/', headers } = request
  const answered = await new Promise<IncomingMessage>((resolve, reject) => {
    // With the Host of the recorder, since ingest tells SDKs by it where to send.
    const passed = send(`${target}${url}`, { method, headers }, resolve)
    passed.on('error', reject)
    passed.end(body)
  })
  const answer = await buffer(answered)
  response.writeHead(answered.statusCode ?? 502, answered.headers).end(answer)
  const kept = Object.entries(headers).filter(([name]) => HEADERS.test(name)).map(([name, value]) => [name, String(value)])
  return { at, method, url, headers: Object.fromEntries(kept) as Record<string, string>, body: written(body), status: answered.statusCode ?? 0, answer: told(answer) }
}

const written = (body: Buffer): Exchange['body'] => {
  const text = body.toString('utf8')
  return Buffer.from(text).equals(body) ? { text } : { base64: body.toString('base64') }
}

const told = (answer: Buffer): string => answer.toString('utf8').slice(0, ANSWER_LENGTH_MAX)
