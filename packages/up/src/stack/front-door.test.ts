import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { createFrontDoor } from './front-door.ts'
import { listenAt } from './listen.ts'
import { readFrontDoorTable, serviceOf } from './routes.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

const backend = async (handle: Parameters<typeof createServer>[1]): Promise<{ server: Server; port: number }> => {
  const server = createServer(handle!)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => new Promise((resolve) => {
    server.closeAllConnections()
    server.close(resolve)
  }))
  return { server, port: (server.address() as AddressInfo).port }
}

const doorTo = async (port: () => number | null): Promise<string> => {
  const { url, close } = await listenAt(createFrontDoor(port), { host: '127.0.0.1', port: 0, flag: '--port' })
  closers.push(close)
  return url
}

describe('the front door', () => {
  it('passes method, path, query, headers, Host and body on, and the answer back', async () => {
    const { port } = await backend((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (chunk: Buffer) => parts.push(chunk))
      request.on('end', () => response.writeHead(202, { 'x-own': 'yes', 'set-cookie': ['a=1', 'b=2'] }).end(JSON.stringify([request.method, request.url, request.headers['host'], request.headers['x-mine'], Buffer.concat(parts).toString()])))
    })
    const url = await doorTo(() => port)
    const answer = await fetch(`${url}/v1/batch?a=%20b`, { method: 'POST', headers: { 'x-mine': '1' }, body: '{"é":1}' })
    expect([answer.status, answer.headers.get('x-own'), answer.headers.getSetCookie()]).toEqual([202, 'yes', ['a=1', 'b=2']])
    expect(await answer.json()).toEqual(['POST', '/v1/batch?a=%20b', new URL(url).host, '1', '{"é":1}'])
  })

  it('says 503 with Retry-After where no copy is, where one refuses, and where one ends before it answers', async () => {
    const gone = await backend(() => {})
    await new Promise((resolve) => gone.server.close(resolve))
    const broken = await backend((request) => void request.socket.destroy())
    for (const port of [null, gone.port, broken.port]) {
      const answer = await fetch(await doorTo(() => port))
      expect([answer.status, answer.headers.get('retry-after'), ((await answer.json()) as { code: string }).code]).toEqual([503, '1', 'NOT_READY'])
    }
  })

  it('reads on where a service answers amid the body, so that the sender hears it and can go on', async () => {
    const { port } = await backend((request, response) => void response.writeHead(request.method === 'POST' ? 413 : 200).end())
    const { port: door, hostname } = new URL(await doorTo(() => port))
    const socket = connect(Number(door), hostname)
    const size = 64 << 20
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${size}\r\n\r\n`)
    socket.write(Buffer.alloc(size))
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    expect((await text(socket)).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200'])
  })

  it('does not let half an answer pass for a whole one', async () => {
    const { port } = await backend((_request, response) => {
      response.writeHead(200)
      response.write('half')
      setImmediate(() => response.destroy())
    })
    const answer = await fetch(await doorTo(() => port))
    await expect(answer.text()).rejects.toThrow('terminated')
  })

  it('lets go of a stream whose reader has left', async () => {
    let left: (() => void) | undefined
    const reader = new Promise<void>((resolve) => (left = resolve))
    const { port } = await backend((_request, response) => {
      response.writeHead(200)
      response.write('first')
      response.once('close', () => left!())
    })
    const url = await doorTo(() => port)
    const answer = await new Promise<IncomingMessage>((resolve) => httpRequest(url, resolve).end())
    await new Promise((resolve) => answer.once('data', resolve))
    answer.destroy()
    expect(await reader).toBeUndefined()
  })

  it('finds the service of a path in the table', () => {
    const table = readFrontDoorTable()
    const found = ['/v1/batch', '/v1/track?x=1', '/api/identity/commands', '/api/profiles?userId=u', '/api/segments/s1/members', '/api/metrics/funnel', '/', '/assets/a.js', '/sign-in?token=1', '/api/projects'].map((url) => serviceOf(table, url))
    expect(found).toEqual(['ingest', 'ingest', 'ingest', 'profile-builder', 'segmentation', 'metrics', 'metrics', 'metrics', 'metrics', 'metrics'])
  })
})
