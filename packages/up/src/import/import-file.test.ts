import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { importFile, type ImportResult } from './import-file.ts'
import { importOptions } from './options.ts'

let folder = ''
let server: Server
let taken: Record<string, unknown>[] = []
let batchSizes: number[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-import-'))
  taken = []
  batchSizes = []
  server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const { batch } = JSON.parse(text) as { batch: Record<string, unknown>[] }
    taken.push(...batch)
    batchSizes.push(batch.length)
    const rejected = batch.flatMap((event, index) => (event['type'] === 'track' && event['event'] === undefined ? [{ index, code: 'EVENT_NAME_MISSING', detail: 'none' }] : []))
    response.end(JSON.stringify({ success: true, rejected }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  server.close()
  await rm(folder, { recursive: true, force: true })
})

const run = async (name: string, content: string | Buffer, ...args: string[]): Promise<ImportResult> => {
  const file = join(folder, name)
  await writeFile(file, content)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const options = importOptions([file, '--url', url, '--write-key', 'w', ...args], {})!
  return importFile(options, { started: () => {}, moved: () => {}, pause: async () => {} })
}
const ids = (): string[] => taken.map((event) => String(event['messageId'])).sort()

const CSV = `event_id,user_id,session_id,event,timestamp,platform,price
1,u1,s1,home,2024-03-13T10:21:14Z,desktop,12.5
2,u1,s1,"buy, now",2024-03-13T10:21:28Z,007,3
3,u2,,home,2024-03-13T10:22:00Z,,
`

describe('the import of a file', () => {
  it('fills the fields from columns with the usual names, and properties from the others', async () => {
    expect(await run('a.csv', CSV)).toMatchObject({ sent: 3, refused: 0, fault: null })
    expect(taken[1]).toEqual({
      type: 'track',
      userId: 'u1',
      event: 'buy, now',
      timestamp: '2024-03-13T10:21:28Z',
      context: { sessionId: 's1' },
      properties: { event_id: 2, platform: '007', price: 3 },
      messageId: expect.stringMatching(/^import-[0-9a-f]{32}$/),
    })
  })

  it('follows the mapping before the usual names', async () => {
    await run('a.csv', CSV, '--map', 'messageId=event_id,event=platform,-=price,properties.what=event')
    expect(taken[0]).toMatchObject({ messageId: '1', event: 'desktop', properties: { what: 'home' } })
  })

  it('gives the same message ids each time, packed or not, and others for other content', async () => {
    await run('a.csv', CSV)
    const first = ids()
    taken = []
    await run('b.csv.gz', gzipSync(CSV))
    expect(ids()).toEqual(first)
    taken = []
    await run('c.csv', CSV.replace('home', 'hone'))
    expect(ids().filter((id) => first.includes(id))).toEqual([])
  })

  it('sends what it can of a broken NDJSON file, and tells each refused line with its reason', async () => {
    const lines = ['{"type":"track","event":"A","userId":"u"}', '{oops', '', '[1]', '{"type":"track","userId":"u"}', '{"type":"track","event":"B","userId":"u","messageId":"own"}']
    const result = await run('a.ndjson', lines.join('\n'))
    expect(result.examples.map(({ line, code }) => [line, code])).toEqual([[2, 'NOT_JSON'], [4, 'NOT_AN_OBJECT'], [5, 'EVENT_NAME_MISSING']])
    expect(taken.map((event) => event['messageId'])).toContain('own')
    expect((await readFile(join(folder, 'a.ndjson.refused.ndjson'), 'utf8')).trim().split('\n')).toHaveLength(3)
  })

  it('tells the line of a CSV record that cannot be read, and goes on', async () => {
    const result = await run('a.csv', 'event,user_id\nA,u\n"two\nlines",u\nB\nC,u\n')
    expect(result.examples.map(({ line, code }) => [line, code])).toEqual([[5, 'NOT_CSV']])
    expect(taken.map((event) => event['event'])).toEqual(['A', 'two\nlines', 'C'])
  })

  it('knows an access log by its first line, and tells the line that is cut off', async () => {
    const line = '203.0.113.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5 "-" "Firefox"'
    const result = await run('access.log', `${line}\n${line}\n${line.slice(0, -4)}\n`)
    expect(result).toMatchObject({ sent: 2, refused: 1 })
    expect(result.examples[0]).toMatchObject({ line: 3, code: 'NOT_AN_ACCESS_LOG' })
    expect(taken.map(({ type }) => type)).toEqual(['page', 'page'])
    expect(new Set(ids()).size).toBe(2)
  })

  it('keeps batches within 100 events and 500 KB', async () => {
    const event = (index: number) => JSON.stringify({ type: 'track', event: 'E', userId: `u${index}`, properties: { text: '字'.repeat(index < 300 ? 1 : 5000) } })
    await run('a.ndjson', Array.from({ length: 350 }, (_, index) => event(index)).join('\n'))
    expect(taken).toHaveLength(350)
    expect(Math.max(...batchSizes)).toBe(100)
    expect(batchSizes.length).toBeGreaterThanOrEqual(5)
  })

  it('names a column that the mapping has and the file has not', async () => {
    await expect(run('a.csv', CSV, '--map', 'userId=uid')).rejects.toThrow('no column uid')
  })
})
