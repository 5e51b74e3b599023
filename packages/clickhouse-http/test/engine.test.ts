import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { createClient } from '@clickhouse/client'
import { createChdbEngine, createSystemIds, type ChdbEngine } from '@millrace/adapters'
import { createEngineServer } from '@millrace/clickhouse-http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const path = mkdtempSync(join(tmpdir(), 'millrace-engine-http-'))
let engine: ChdbEngine
let server: ReturnType<typeof createEngineServer>
let url: string
beforeAll(async () => {
  engine = createChdbEngine({ path })
  server = createEngineServer({ engine, ids: createSystemIds(), logger: { warn: () => {} }, user: { user: 'service', password: 'pw' } }, { bodyBytesMax: 100_000, wholeBytesMax: 50_000 })
  url = await server.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.close()
  await engine.store.close()
  rmSync(path, { recursive: true, force: true })
})

const ask = (query: string, body: string | Uint8Array = '', headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${url}/?${query}`, { method: 'POST', body: body as never, headers: { Authorization: `Basic ${btoa('service:pw')}`, ...headers } })
const sql = async (text: string, query = ''): Promise<string> => (await ask(query, text)).text()

describe('the engine over HTTP', () => {
  it('answers /ping to everybody, and statements to its user only', async () => {
    expect(await (await fetch(`${url}/ping`)).text()).toBe('Ok.\n')
    for (const headers of [{}, { Authorization: `Basic ${btoa('service:no')}` }, { Authorization: `Basic ${btoa('default:pw')}` }, { 'X-ClickHouse-User': 'service', 'X-ClickHouse-Key': '' }]) {
      const refused = await fetch(`${url}/`, { method: 'POST', body: 'SELECT 1', headers: headers as Record<string, string> })
      expect([refused.status, refused.headers.get('x-clickhouse-exception-code')]).toEqual([403, '516'])
    }
    expect(await (await fetch(`${url}/?user=service&password=pw&query=SELECT+1`)).text()).toBe('1\n')
    expect(await (await fetch(`${url}/`, { method: 'POST', body: 'SELECT 1', headers: { 'X-ClickHouse-User': 'service', 'X-ClickHouse-Key': 'pw' } })).text()).toBe('1\n')
  })

  it('lets no page of a browser in, and changes nothing by GET', async () => {
    const user = 'user=service&password=pw'
    const asked = async (method: string, query: string, headers: Record<string, string> = {}): Promise<unknown> => {
      const { statusCode, headers: told } = await server.inject({ method: method as 'GET', url: `/?${user}&query=${encodeURIComponent(query)}`, headers })
      return [statusCode, told['x-clickhouse-exception-code']]
    }
    for (const headers of [{ origin: 'http://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }] as Record<string, string>[]) {
      for (const method of ['GET', 'POST']) expect(await asked(method, 'SELECT 1', headers)).toEqual([403, '497'])
    }
    for (const sql of ['CREATE TABLE default.by_get (n UInt8) ENGINE = Memory', 'INSERT INTO default.by_get FORMAT CSV']) expect(await asked('GET', sql)).toEqual([403, '164'])
    expect(await sql('EXISTS default.by_get')).toBe('0\n')
  })

  it("tells errors with the server's status, code and text", async () => {
    const told = async (text: string, query = ''): Promise<unknown> => {
      const answer = await ask(query, text)
      return [answer.status, answer.headers.get('x-clickhouse-exception-code'), (await answer.text()).slice(0, 30)]
    }
    expect(await told('SELECT FROM WHERE')).toEqual([400, '62', 'Code: 62. DB::Exception: Synta'])
    expect(await told('SELECT * FROM none')).toEqual([404, '60', expect.stringMatching(/^Code: 60\. DB::Exception: /)])
    expect(await told('DROP TABLE none')).toEqual([404, '60', expect.stringMatching(/^Code: 60\. DB::Exception: /)])
    expect(await told('SELECT 1', 'no_such=1')).toEqual([404, '115', expect.stringMatching(/^Code: 115\. /)])
    expect(await told('SELECT throwIf(1)')).toEqual([500, '395', expect.any(String)])
    expect(await told('SELECT 1', 'session_id=a')).toEqual([501, '48', expect.any(String)])
    expect(await told(`SELECT '${'x'.repeat(200_000)}'`)).toEqual([413, '307', expect.any(String)])
    expect(await told('SELECT number FROM numbers(100000)', 'wait_end_of_query=1')).toEqual([500, '396', expect.any(String)])
  })

  it('holds settings in the URL to their own statement, whatever its kind', async () => {
    expect(await sql("SELECT value FROM system.settings WHERE name = 'max_block_size'", 'max_block_size=77')).toBe('77\n')
    await sql('CREATE TABLE default.flat (n Nested(a UInt8, b UInt8)) ENGINE = MergeTree ORDER BY tuple()', 'flatten_nested=0')
    expect(await sql('SELECT name FROM system.columns WHERE table = \'flat\'')).toBe('n\n')
    await sql('CREATE TABLE default.nested (n Nested(a UInt8, b UInt8)) ENGINE = MergeTree ORDER BY tuple()')
    expect(await sql('SELECT name FROM system.columns WHERE table = \'nested\'')).toBe('n.a\nn.b\n')
    await sql('CREATE TABLE default.t (n UInt32, s String) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100')
    const insert = (token: string): Promise<string> => sql("INSERT INTO default.t VALUES (1, 'a')", token === '' ? 'async_insert=0' : `async_insert=0&insert_deduplication_token=${token}`)
    for (const token of ['x', 'x', 'y', '', 'x']) expect(await insert(token)).toBe('')
    expect(await sql('SELECT count() FROM default.t')).toBe('3\n')
  })

  it('takes rows in the body, in the statement, with columns, and as gzip', async () => {
    await sql('TRUNCATE TABLE default.t')
    const rows = (n: number): string => `{"n":${n},"s":"ä"}\n`
    const insert = `query=${encodeURIComponent('INSERT INTO default.t FORMAT JSONEachRow')}&async_insert=0`
    expect((await ask(insert, rows(1))).status).toBe(200)
    expect((await ask(insert, gzipSync(rows(2)), { 'Content-Encoding': 'gzip' })).status).toBe(200)
    expect((await ask('async_insert=0', `INSERT INTO default.t FORMAT JSONEachRow ${rows(3)}`)).status).toBe(200)
    expect((await ask(`query=${encodeURIComponent('INSERT INTO default.t (n) FORMAT CSV')}&async_insert=0`, '4\n')).status).toBe(200)
    expect((await ask(`query=${encodeURIComponent('INSERT INTO default.t SETTINGS async_insert=0 FORMAT TSVWithNames')}`, 'n\ts\n5\tb\n')).status).toBe(200)
    expect((await ask(insert, '')).status).toBe(200)
    expect(await sql('SELECT n, s FROM default.t ORDER BY n FORMAT CSV')).toBe('1,"ä"\n2,"ä"\n3,"ä"\n4,""\n5,"b"\n')
    expect((await ask(insert, Buffer.from('no gzip'), { 'Content-Encoding': 'gzip' })).status).toBe(400)
  })

  it('answers as gzip where it is asked to', async () => {
    // fetch would unpack it by itself.
    const answer = await server.inject({ method: 'POST', url: '/?enable_http_compression=1&user=service&password=pw', payload: 'SELECT number FROM numbers(3)', headers: { 'accept-encoding': 'gzip' } })
    expect(answer.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(answer.rawPayload).toString()).toBe('0\n1\n2\n')
  })

  it('serves the official client: questions, streams, inserts, errors amid a stream', async () => {
    const client = createClient({ url, username: 'service', password: 'pw', compression: { request: true, response: true }, log: { level: 127 } })
    await client.command({ query: 'CREATE TABLE default.c (n UInt32, s String) ENGINE = MergeTree ORDER BY n' })
    await client.insert({ table: 'default.c', values: [{ n: 1, s: 'a' }, { n: 2, s: 'b' }], format: 'JSONEachRow' })
    expect(await (await client.query({ query: 'SELECT * FROM default.c ORDER BY n', format: 'JSONEachRow' })).json()).toEqual([{ n: 1, s: 'a' }, { n: 2, s: 'b' }])
    expect((await (await client.query({ query: 'SELECT * FROM default.c ORDER BY n', format: 'JSON' })).json<{ n: number }>()).data).toHaveLength(2)
    const failing = await client.query({ query: 'SELECT throwIf(number = 900000), number FROM numbers(1000000)', format: 'JSONEachRow', clickhouse_settings: { max_block_size: '10000' } })
    await expect((async () => {
      for await (const rows of failing.stream()) void rows
    })()).rejects.toMatchObject({ code: '395' })
    expect((await client.ping()).success).toBe(true)
    await client.close()
  })
})
