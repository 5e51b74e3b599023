import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { ProblemError } from '@millrace/contracts'
import { LogUnavailable } from '@millrace/ports'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createHttp, createLogger } from '../src/index.ts'
import { createCountingIds } from './fixed.ts'

const app = () => {
  const http = createHttp({ logger: createLogger('silent'), ids: createCountingIds(), hosts: ['millrace.example'], bodyBytesMax: 100 })
  http.get('/api/thing/:id', async () => ({ ok: true }))
  http.post('/api/thing', async () => ({ ok: true }))
  http.post('/v1/open', { config: { collection: true } }, async () => ({ ok: true }))
  http.get('/fault/problem', async () => { throw new ProblemError('SEGMENT_NOT_FOUND', 'no s1') })
  http.get('/fault/log', async () => { throw new LogUnavailable('LOG_FULL', 'disk full', 7) })
  http.get('/fault/zod', async () => z.object({ a: z.number() }).parse({ a: 'x' }))
  http.get('/fault/bug', async () => { throw new Error('secret inside') })
  return http
}

describe('http', () => {
  it('answers every fault as a problem with a code of the table', async () => {
    const http = app()
    const json = { 'content-type': 'application/json' }
    const cases = [
      [{ url: '/nothing' }, 404, 'NOT_FOUND'],
      [{ url: '/api/thing/1', method: 'DELETE' as const }, 405, 'METHOD_NOT_ALLOWED'],
      [{ url: '/api/thing', method: 'POST' as const, headers: json, payload: '{' }, 400, 'NOT_JSON'],
      [{ url: '/api/thing', method: 'POST' as const, headers: json, payload: `"${'x'.repeat(200)}"` }, 413, 'BODY_TOO_LARGE'],
      [{ url: '/api/thing', method: 'POST' as const, headers: { 'content-type': 'image/png' }, payload: 'x' }, 415, 'MEDIA_TYPE_UNSUPPORTED'],
      [{ url: '/fault/problem' }, 404, 'SEGMENT_NOT_FOUND'],
      [{ url: '/fault/log' }, 503, 'LOG_FULL'],
      [{ url: '/fault/zod' }, 400, 'BAD_REQUEST'],
      [{ url: '/fault/bug' }, 500, 'INTERNAL'],
    ] as const
    for (const [request, status, code] of cases) {
      const answer = await http.inject(request)
      expect([answer.statusCode, answer.json().code], `${JSON.stringify(request)} ${answer.body}`).toEqual([status, code])
      expect(answer.headers['content-type']).toContain('application/problem+json')
      expect(answer.body).not.toContain('secret inside')
    }
    expect((await http.inject('/fault/log')).headers['retry-after']).toBe('7')
    expect((await http.inject({ url: '/api/thing/1', method: 'DELETE' })).headers['allow']).toContain('GET')
  })

  it('answers with the id of the request: the given one, where a log can hold it, else a new one', async () => {
    const idOf = async (given?: string): Promise<unknown> => (await app().inject({ url: '/api/thing/1', headers: given === undefined ? {} : { 'x-request-id': given } })).headers['x-request-id']
    expect(await idOf('4bf92f3577b34da6a3ce929d0e0e4736')).toBe('4bf92f3577b34da6a3ce929d0e0e4736')
    for (const none of [undefined, '', 'a "b"', 'x'.repeat(65), '识']) expect(await idOf(none), none).toMatch(/^[\w-]{36}\.\w+$/)
    const problem = await app().inject({ url: '/nothing', headers: { 'x-request-id': 'mine' } })
    expect([problem.headers['x-request-id'], problem.json().requestId]).toEqual(['mine', 'mine'])
  })

  it('answers as a problem what is no request, too: an address, headers and bytes that cannot be read, a body that never comes', async () => {
    const http = createHttp({ logger: createLogger('silent'), ids: createCountingIds(), requestMsMax: 1_000 })
    http.post('/body', async () => 'ok')
    await http.listen({ host: '127.0.0.1', port: 0 })
    const { port } = http.server.address() as AddressInfo
    const codeOf = async (bytes: string): Promise<unknown> => {
      const chunks: Buffer[] = []
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes)).on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => {})
      await new Promise((resolve) => socket.once('close', resolve))
      const [head = '', body = ''] = String(Buffer.concat(chunks)).split('\r\n\r\n')
      expect(head).toContain('application/problem+json')
      return (JSON.parse(body) as { code: unknown }).code
    }
    const head = 'HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n'
    expect(await Promise.all([
      codeOf(`GET /%zz ${head}\r\n`), codeOf(`GET /${'x'.repeat(20_000)} ${head}\r\n`), codeOf('\u0016\u0003\r\n\r\n'), codeOf(`POST /body ${head}content-type: application/json\r\ncontent-length: 10\r\n\r\n{`),
    ])).toEqual(['BAD_REQUEST', 'URI_TOO_LONG', 'BAD_REQUEST', 'REQUEST_TIMEOUT'])
    await http.close()
  })

  it('answers what still comes on an open connection while it closes, and says that the connection ends', async () => {
    const http = createHttp({ logger: createLogger('silent'), ids: createCountingIds() })
    const asked = new EventEmitter()
    http.get('/slow', async () => {
      asked.emit('slow')
      await once(asked, 'go')
      return 'slow'
    })
    http.get('/late', async () => 'late')
    await http.listen({ host: '127.0.0.1', port: 0 })
    const socket = connect((http.server.address() as AddressInfo).port, '127.0.0.1')
    socket.write('GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await once(asked, 'slow')
    const closed = http.close()
    socket.write('GET /late HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await once(http.server, 'request')
    asked.emit('go')
    const [, slow, late] = (await text(socket)).split('HTTP/1.1 ')
    expect([slow?.slice(0, 3), late?.slice(0, 3), late?.toLowerCase().includes('connection: close')]).toEqual(['200', '200', true])
    await closed
  })

  it('lets no web page of another origin in, and serves no foreign host', async () => {
    const http = app()
    const status = async (url: string, headers: Record<string, string>, method: 'GET' | 'POST' = 'GET') =>
      (await http.inject({ url, headers, method })).statusCode
    expect(await status('/api/thing/1', { host: '127.0.0.1:8080' })).toBe(200)
    expect(await status('/api/thing/1', { host: '[::1]:8080' })).toBe(200)
    expect(await status('/api/thing/1', { host: 'millrace.example' })).toBe(200)
    expect(await status('/api/thing/1', { host: 'rebound.example:8080' })).toBe(403)
    expect(await status('/api/thing/1', { host: 'localhost:8080', origin: 'http://localhost:8080' })).toBe(200)
    expect(await status('/api/thing/1', { host: 'localhost:8080', origin: 'http://localhost:3000' })).toBe(403)
    expect(await status('/api/thing/1', { host: 'localhost:8080', origin: 'null' })).toBe(403)
    expect(await status('/api/thing/1', { host: 'localhost:8080', 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await status('/v1/open', { host: 'rebound.example', origin: 'https://shop.example' }, 'POST')).toBe(200)
  })
})
