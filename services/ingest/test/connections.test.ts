import { connect } from 'node:net'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { jitsu } from '../src/protocols/jitsu.ts'
import { acceptedOf, rejectedOf } from './memory-log.ts'
import { setUp } from './set-up.ts'

const open: (() => Promise<void>)[] = []
afterEach(async () => { for (const close of open.splice(0)) await close() })

const listening = async (settings: Parameters<typeof setUp>[0], http: Parameters<typeof setUp>[1] = {}) => {
  const system = await setUp(settings, http)
  const address = new URL(await system.http.listen({ host: '127.0.0.1', port: 0 }))
  open.push(async () => {
    system.http.server.closeAllConnections()
    await system.http.close()
  })
  const send = (body: string) => fetch(new URL('/v1/track?writeKey=wk', address), { method: 'POST', body })
  /** Says that more is coming than it sends. */
  const half = async () => {
    const socket = connect(Number(address.port), '127.0.0.1')
    await once(socket, 'connect')
    const begun = once(system.http.server, 'request')
    socket.write('POST /v1/track?writeKey=wk HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"type":')
    await begun
    return socket
  }
  return { ...system, send, half }
}
const event = '{"event":"Seen","userId":"u1"}'

describe('connections', () => {
  it('counts a client out again that goes away in the middle of its body', async () => {
    const { send, half, log } = await listening({ OPEN_REQUESTS_MAX: 1 })
    for (let round = 0; round < 5; round++) {
      const socket = await half()
      expect((await send(event)).status).toBe(429)
      socket.destroy()
      await expect.poll(async () => (await send(event)).status).toBe(200)
    }
    expect(acceptedOf(log)).toHaveLength(5)
  })

  it('counts a client out again that goes away while the log is busy, and keeps its event', async () => {
    const { send, log, half } = await listening({ OPEN_REQUESTS_MAX: 1 })
    log.takes(100)
    const socket = await half()
    socket.write(`"track",${event.slice(1)}${' '.repeat(1000 - 8 - 8 - event.length + 1)}`)
    await expect.poll(async () => (await send(event)).status).toBe(429)
    socket.destroy()
    await expect.poll(() => acceptedOf(log).length).toBe(1)
    expect((await send(event)).status).toBe(200)
  })

  it('does not wait at its stop for a client that never ends its body', async () => {
    const { send, half, ingest } = await listening({ OPEN_REQUESTS_MAX: 1, STOP_MS_MAX: 100 })
    const socket = await half()
    await expect.poll(async () => (await send(event)).status).toBe(429)
    await ingest.stop()
    expect((await send(event)).status).toBe(503)
    socket.destroy()
  })

  it('takes a body that comes in chunks', async () => {
    const { log, http } = await listening({})
    const { port } = http.server.address() as { port: number }
    const socket = connect(port, '127.0.0.1')
    socket.write('POST /v1/track?writeKey=wk HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (let at = 0; at < event.length; at += 7) {
      const part = event.slice(at, at + 7)
      socket.write(`${part.length.toString(16)}\r\n${part}\r\n`)
    }
    socket.write('0\r\n\r\n')
    const [answer] = await once(socket, 'data') as [Buffer]
    expect(answer.toString()).toContain('200 OK')
    expect(acceptedOf(log)).toHaveLength(1)
    socket.destroy()
  })

  it('answers a client that has closed its own half, also where the log takes its time', async () => {
    const { log, http } = await listening({})
    log.takes(50)
    const { port } = http.server.address() as { port: number }
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.end(`POST /v1/track?writeKey=wk HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${event.length}\r\n\r\n${event}`)
    const answer = await text(socket)
    expect(answer).toContain('200 OK')
    expect(acceptedOf(log)).toHaveLength(1)
  })

  it('tells a client whose event waits for the log while ingest stops that its connection ends', async () => {
    const { log, http } = await listening({})
    log.takes(50)
    const { port } = http.server.address() as { port: number }
    const socket = connect(port, '127.0.0.1')
    socket.write(`POST /v1/track?writeKey=wk HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${event.length}\r\n\r\n${event}`)
    await once(http.server, 'request')
    const closed = http.close()
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n/i)
    await closed
    expect(acceptedOf(log)).toHaveLength(1)
  })

  it('lets a client read that its body is too large, while it still writes it, and keeps that it came', async () => {
    const { http, log } = await listening({ BODY_BYTES_MAX: 1 << 20 })
    const { port } = http.server.address() as { port: number }
    const chunk = Buffer.alloc(1 << 20, ' ')
    const chunks = async function* () { for (let sent = 0; sent < 32; sent++) yield chunk }
    const statusOf = async (path: string, body: RequestInit['body'], length?: string) =>
      (await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body, duplex: 'half', ...(length && { headers: { 'content-length': length } }) } as RequestInit)).status
    for (const [path, status] of [['/v1/batch?writeKey=wk', 413], ['/sa?token=wk', 200], ['/mp/collect?measurement_id=wk', 204]] as const) {
      expect(await statusOf(path, Buffer.concat(Array.from({ length: 32 }, () => chunk)))).toBe(status)
      expect(await statusOf(path, chunks() as unknown as RequestInit['body'])).toBe(status)
    }
    expect(rejectedOf(log).map(({ code, bytes }) => [code, bytes])).toEqual(Array.from({ length: 6 }, () => ['BODY_TOO_LARGE', '']))
  })

  it('takes a client that sends its body byte by byte, and others meanwhile', async () => {
    const { send, log, http } = await listening({})
    const { port } = http.server.address() as { port: number }
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    socket.write(`POST /v1/track?writeKey=wk HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${event.length}\r\n\r\n`)
    for (const byte of event) {
      socket.write(byte)
      expect((await send('{"event":"Between","userId":"u2"}')).status).toBe(200)
    }
    const [answer] = await once(socket, 'data') as [Buffer]
    expect(answer.toString()).toContain('200 OK')
    expect(acceptedOf(log)).toHaveLength(event.length + 1)
    socket.destroy()
  })

  it('tells a client that is too slow so, and counts it out', async () => {
    const { send, half } = await listening({ OPEN_REQUESTS_MAX: 1 }, { requestMsMax: 300 })
    const socket = await half()
    const [answer] = await once(socket, 'data') as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /)
    expect((await send(event)).status).toBe(200)
  })

  it('takes a thousand requests one behind the other on one connection, in their order', async () => {
    const { log, http } = await listening({})
    const { port } = http.server.address() as { port: number }
    const socket = connect(port, '127.0.0.1')
    const bodies = Array.from({ length: 1000 }, (_, n) => `{"event":"Seen","userId":"u1","messageId":"m${n}"}`)
    socket.write(bodies.map((body) => `POST /v1/track?writeKey=wk HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`).join(''))
    let answers = ''
    for await (const part of socket as AsyncIterable<Buffer>) if ((answers += part.toString('latin1')).split('200 OK').length > 1000) break
    expect(acceptedOf(log).map(({ line }) => (JSON.parse(line.toString()) as { messageId: string }).messageId)).toEqual(bodies.map((_, n) => `m${n}`))
  })

  it('takes a thousand pictures on one connection, and an address of 8 kB', async () => {
    const { log, http } = await listening({})
    const { port } = http.server.address() as { port: number }
    const socket = connect(port, '127.0.0.1')
    const address = (n: number, filler = ''): string => `/sa.gif?token=wk&data=${encodeURIComponent(JSON.stringify({ type: 'track', event: 'Seen', distinct_id: `d${n}`, time: Date.parse('2024-06-01T11:00:00Z') + n, _track_id: n, properties: { filler } }))}`
    const long = address(1000, 'x'.repeat(8_000))
    socket.write([...Array.from({ length: 1000 }, (_, n) => address(n)), long].map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(''))
    let answers = ''
    for await (const part of socket as AsyncIterable<Buffer>) if ((answers += part.toString('latin1')).split('HTTP/1.1 ').length > 1001) break
    expect([...new Set(answers.match(/HTTP\/1\.1 \d+/g))]).toEqual(['HTTP/1.1 200'])
    expect(acceptedOf(log)).toHaveLength(1001)
  })

  it('answers the others of an append where the words for one of them fail', async () => {
    const { send, http, log } = await listening({ APPEND_EVERY_MS: 50 })
    await send(event)
    const answer = vi.spyOn(jitsu, 'answer').mockImplementationOnce(() => { throw new Error('no words') })
    const { port } = http.server.address() as { port: number }
    const broken = fetch(`http://127.0.0.1:${port}/api/s/track`, { method: 'POST', headers: { 'x-write-key': 'wk:s' }, body: event })
    const answers = await Promise.all([broken, send(event), send(event)])
    expect(answers.map(({ status }) => status)).toEqual([500, 200, 200])
    expect([acceptedOf(log).length, (await send(event)).status]).toEqual([4, 200])
    answer.mockRestore()
  })
})
