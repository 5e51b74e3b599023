import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { protocols } from '../../src/protocols/index.ts'
import { setUp } from '../set-up.ts'

const BODIES = [
  '', '{', '[]', 'null', '5', '"text"', '{}', '[[[]]]', '{"data":{}}', '{"batch":{}}', '{"events":[null,5,[]]}', 'a=b', 'data=%%%', 'data=e30', 'data_list=bnVsbA==', 'events=5&app_key=wk', 'requests=5&app_key=wk',
  '{"data":[null,5,[],{}]}', '\u0000\u0001', '{"data":"', 'data=H4sI',
].map((text) => Buffer.from(text))
const BINARY = [Buffer.from([0x1f, 0x8b, 0x08]), gzipSync('{"data":['), Buffer.from([0xff, 0xfe, 0x00]), Buffer.from('{"data":[{"e":"\xff"}]}', 'latin1')]

it('answers nonsense on every path of every protocol without a fault of its own', async () => {
  const { http, log } = await setUp()
  for (const { method, url } of protocols.flatMap(({ paths }) => paths)) {
    for (const payload of [...BODIES, ...BINARY]) {
      const query = method === 'GET' ? new URLSearchParams({ data: payload.toString('latin1'), e: 'pv', events: payload.toString(), token: 'wk' }).toString() : 'token=wk&writeKey=wk'
      const answer = await http.inject({ method, url: `${url}?${query}`, ...(method === 'POST' ? { payload } : {}) })
      expect([method, url, payload.toString(), answer.statusCode < 500 && answer.statusCode !== 404]).toEqual([method, url, payload.toString(), true])
    }
  }
  expect(log.appends()).toBeGreaterThan(0)
})
