import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { sendBatches, type Door } from './batch-sender.ts'

const servers: Server[] = []
afterEach(() => servers.splice(0).forEach((server) => server.close()))

/** A door that answers as told and keeps what it took. */
const doorThat = async (answer: (request: number, response: ServerResponse) => boolean): Promise<{ door: Door; taken: string[] }> => {
  const taken: string[] = []
  let requests = 0
  const server = createServer(async (request: IncomingMessage, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    if (answer(++requests, response)) taken.push(...(JSON.parse(text) as { batch: { messageId: string }[] }).batch.map(({ messageId }) => messageId))
    response.end('{"success":true}')
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { door: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, writeKey: 'w' }, taken }
}

const batches = Array.from({ length: 20 }, (_, index) => [{ text: JSON.stringify({ messageId: String(index) }) }])
const options = { inFlightMax: 4, attemptsMax: 5, sent: () => {}, pause: async () => {} }

describe('sending batches', () => {
  it('delivers each batch once more when the door was under pressure', async () => {
    const { door, taken } = await doorThat((request, response) => {
      if (request % 3 !== 0) return true
      response.statusCode = request % 2 === 0 ? 429 : 503
      return false
    })
    await sendBatches(door, batches, options)
    expect(taken.map(Number).sort((a, b) => a - b)).toEqual(batches.map((_, index) => index))
  })

  it('waits as long as the door says', async () => {
    const waited: number[] = []
    const { door } = await doorThat((request, response) => {
      if (request > 1) return true
      response.statusCode = 429
      response.setHeader('retry-after', '7')
      return false
    })
    await sendBatches(door, batches.slice(0, 1), { ...options, pause: async (ms) => waited.push(ms) })
    expect(waited).toEqual([7000])
  })

  it('gives up with one sentence when a key is wrong, at once', async () => {
    let asked = 0
    const { door } = await doorThat((request, response) => {
      asked = request
      response.statusCode = 401
      return false
    })
    await expect(sendBatches(door, batches.slice(0, 1), options)).rejects.toThrow('answered 401')
    expect(asked).toBe(1)
  })

  it('gives up after its tries when nobody listens', async () => {
    const nobody = { url: 'http://127.0.0.1:9', writeKey: 'w' }
    await expect(sendBatches(nobody, batches, options)).rejects.toThrow('does not answer')
  })
})
