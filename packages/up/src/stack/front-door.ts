import { Agent, createServer, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import { errors } from '@millrace/contracts'

/** Where a request goes: the port of a copy on this machine; null when none is there to answer. */
export type Choose = (url: string) => number | null
/** Answered here, not by a service. */
export type Own = (url: string) => Promise<{ readonly status: number; readonly body: unknown }> | null

const CONNECTIONS_MAX = 256
/** They speak of one connection, not of the request. */
const HOP_BY_HOP: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'upgrade', 'expect'])

/**
 * One port before all services of this machine, since pages and SDKs know one address; in compose a proxy does it. Bodies
 * flow through in both directions, so the services' own bounds hold. Not yet listening.
 */
export const createFrontDoor = (choose: Choose, own: Own = () => null): Server => {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX })
  const server = createServer((request, response) => {
    const url = request.url ?? '/'
    const answer = own(url)
    if (answer) return void answer.then(({ status, body }) => sendJson(response, status, body), () => refuse(response))
    const port = choose(url)
    if (port === null) return refuse(response)
    return forward(agent, port, request, response)
  })
  server.on('close', () => agent.destroy())
  return server
}

const forward = (agent: Agent, port: number, request: IncomingMessage, response: ServerResponse): void => {
  const { method, url, headers } = request
  const upstream = httpRequest({ agent, host: '127.0.0.1', port, method, path: url, headers: { ...passedOn(headers), 'x-forwarded-for': [headers['x-forwarded-for'], request.socket.remoteAddress].flat().filter(Boolean).join(', ') } })
  upstream.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, passedOn(answer.headers))
    answer.pipe(response)
    // Half an answer must not look like a whole one.
    answer.once('error', () => response.destroy())
  })
  upstream.on('error', () => (response.headersSent ? response.destroy() : refuse(response)))
  response.once('close', () => {
    // Who was answered amid its body still writes: the rest is read and thrown away, or it would stand before the next request.
    request.unpipe(upstream).resume()
    // Who leaves needs no answer: a live stream would go on for nobody.
    upstream.destroy()
  })
  request.pipe(upstream)
}

const passedOn = (headers: IncomingMessage['headers']): OutgoingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)))

/** A copy that has just ended comes back in a moment: SDKs and clients ask again. */
const refuse = (response: ServerResponse): void => {
  const { status, title, meaning } = errors.NOT_READY
  response.setHeader('retry-after', '1')
  sendJson(response, status, { type: 'urn:millrace:problem:NOT_READY', title, status, code: 'NOT_READY', detail: meaning })
}

const sendJson = (response: ServerResponse, status: number, body: unknown): void => {
  if (response.headersSent || response.destroyed) return void response.destroy()
  response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json; charset=utf-8', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}
