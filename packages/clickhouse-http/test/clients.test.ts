import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { analystsPython } from '../../../tests/support/python.ts'
import { ask, openFixture, type Fixture } from './fixture.ts'

const run = promisify(execFile)
let fixture: Fixture
beforeAll(async () => void (fixture = await openFixture()))
afterAll(() => fixture.close())

const FAILING = "SELECT throwIf(number = 900000, 'in the middle') AS x FROM numbers(1000000)"

describe('@clickhouse/client', () => {
  it.each([false, true])('queries, streams, binds and is told of errors (compressed: %s)', async (response) => {
    const client = createClient({ url: fixture.url, username: 'analyst', password: 'key-one', database: 'millrace', compression: { response }, log: { level: ClickHouseLogLevel.OFF } })
    expect(await (await client.query({ query: 'SELECT count() AS n FROM events' })).json()).toMatchObject({ data: [{ n: 10 }] })
    const bound = await client.query({ query: 'SELECT {a:Array(String)} AS a', query_params: { a: ["it's", 'b'] }, format: 'JSONEachRow' })
    expect(await bound.json()).toEqual([{ a: ["it's", 'b'] }])
    let rows = 0
    const stream = await client.query({ query: 'SELECT number FROM numbers(500000)', format: 'JSONEachRow' })
    for await (const chunk of stream.stream()) rows += chunk.length
    expect(rows).toBe(500_000)
    const failing = async (): Promise<void> => {
      const answer = await client.query({ query: FAILING, format: 'JSONEachRow' })
      for await (const chunk of answer.stream()) rows += chunk.length
    }
    await expect(failing()).rejects.toThrow(/in the middle/)
    await expect(client.query({ query: 'SELECT * FROM millrace_p2.events' })).rejects.toMatchObject({ code: '497' })
    expect(await client.ping()).toEqual({ success: true })
    await client.close()
  })
})

describe('curl', () => {
  it('fails when an error comes in the middle', async () => {
    const failed = await run('curl', ['-sS', '--user', 'analyst:key-one', `${fixture.url}/`, '--data-binary', FAILING], { maxBuffer: 1e8 }).catch((error: unknown) => error)
    expect(failed).toMatchObject({ code: expect.toBeOneOf([18, 56]), stdout: expect.stringContaining('__exception__') })
  })
})

const python = await analystsPython()

describe.skipIf(!python)('clickhouse-connect', () => {
  it('queries, makes frames, streams, and raises an error of the middle', async () => {
    const url = new URL(fixture.url)
    const script = fileURLToPath(new URL('./clients.py', import.meta.url))
    const seen = JSON.parse((await run(python!.command, [script, url.hostname, url.port, 'key-one'], { env: { ...process.env, ...python!.env } })).stdout) as unknown
    const each = {
      query: [10, 'open-0', expect.stringContaining('2024-01-15 12:34:56.789'), '1.0000'], bound: [[5, 'x']],
      query_df: [4_999_950_000, ['n', 's']], empty: [['event', 'revenue'], 0], stream: 1_000_000,
      middle: [true, true, 'StreamFailureError'], refused: true, arrow: '10', command: 1,
    }
    expect(seen).toEqual({ plain: each, gzip: each, wrong: true })
  })
})

describe('order', () => {
  it('is kept over a million rows and many pieces', async () => {
    const answer = await ask(fixture.url, 'SELECT toUInt32(intHash32(number)) AS x FROM numbers(1000000) ORDER BY x DESC FORMAT RowBinary')
    const bytes = Buffer.from(await answer.arrayBuffer())
    expect(bytes.length).toBe(4_000_000)
    let [before, falls] = [0xffffffff, true]
    for (let at = 0; at < bytes.length; at += 4) {
      falls &&= bytes.readUInt32LE(at) <= before
      before = bytes.readUInt32LE(at)
    }
    expect(falls).toBe(true)
  })
})

describe('limits', () => {
  it('are errors, never shorter answers', async () => {
    // An answer under way ends with the error and a broken connection: a client may meet the second first.
    const told = async (sql: string, query: string): Promise<string> => {
      const pieces: string[] = []
      try {
        for await (const piece of (await ask(fixture.url, sql, { query })).body!) pieces.push(Buffer.from(piece).toString('latin1'))
      } catch (error) {
        return `${pieces.join('')} Code: 396 or 241, raised: ${String(error)}`
      }
      return pieces.join('')
    }
    expect(await told('SELECT number FROM numbers(100)', 'max_result_rows=10')).toContain('Code: 396')
    expect(await told('SELECT 1 UNION ALL SELECT number FROM numbers(100)', 'max_result_rows=10&result_overflow_mode=break')).toContain('Code: 396')
    expect(await told('SELECT count() FROM numbers(10000000) AS a, numbers(10000000) AS b', 'max_execution_time=1')).toContain('Code: 159')
    expect(await told('SELECT groupArray(number) FROM numbers(10000000)', 'max_memory_usage=10000000')).toContain('Code: 241')
    expect((await told('SELECT number FROM numbers(600000) FORMAT JSON', 'max_result_rows=0')).slice(0, 200)).toContain('Code: 396')
    expect((await told("SELECT repeat(toString(number), 1000) FROM numbers(100000) FORMAT JSON", '')).slice(0, 200)).toContain('Code: 396')
    for (const format of ['JSON', 'TSV', 'Native']) {
      const answer = await told(`SELECT repeat('x', 1000000) FROM numbers(500000) FORMAT ${format}`, '')
      expect(answer.slice(-500)).toContain('Code: 241')
    }
    expect(await told('SELECT 1', 'max_rows_to_read=5')).toContain('READONLY')
    expect(await told('SELECT 1', 'database=millrace_p2')).toContain('Code: 81')
  })

  it('stop a statement whose client went away', async () => {
    const leaving = new AbortController()
    const answer = ask(fixture.url, 'SELECT count() FROM numbers(10000000) AS a, numbers(1000) AS b', { signal: leaving.signal }).catch(() => 'left')
    const running = async (): Promise<number> =>
      (await fixture.columns.query<{ n: number }>("SELECT count() AS n FROM system.processes WHERE query LIKE '%millrace-query%numbers(1000)%' AND query NOT LIKE '%system.processes%'"))[0]!.n
    await expect.poll(running).toBe(1)
    leaving.abort()
    expect(await answer).toBe('left')
    await expect.poll(running, { timeout: 60_000 }).toBe(0)
    expect(await (await ask(fixture.url, 'SELECT 1')).text()).toBe('1\n')
  })

  it('refuse who is not known', async () => {
    const answers = await Promise.all([
      fetch(`${fixture.url}/?query=SELECT%201`), ask(fixture.url, 'SELECT 1', { key: 'wrong' }), fetch(`${fixture.url}/?query=SELECT%201&user=default&password=key-one`)])
    for (const answer of answers) {
      expect(answer.status).toBe(403)
      expect(answer.headers.get('x-clickhouse-exception-code')).toBe('516')
    }
    expect(await (await fetch(`${fixture.url}/?query=SELECT%201&user=analyst&password=key-two`)).text()).toBe('1\n')
    expect(await (await fetch(`${fixture.url}/ping`)).text()).toBe('Ok.\n')
  })
})
