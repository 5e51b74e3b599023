import { connect, createServer, type Server, type Socket } from 'node:net'
import { createClickHouseStore } from '@millrace/adapters'
import { chanceFrom } from '@millrace/contracts'
import { StoreError, type ColumnStore } from '@millrace/ports'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startEngineProcess, type EngineProcess } from '../support/engine.ts'
import { freePort } from '../support/millrace.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 5)
const KILLS = Number(process.env['MILLRACE_KILLS'] ?? (process.env['MILLRACE_LONG'] === '1' ? 60 : 4))
const ROWS = 20_000

const rows = (batch: number): Buffer =>
  Buffer.from(Array.from({ length: ROWS }, (_, n) => `{"batch":${batch},"n":${n},"at":"${2000 + (n % 25)}-01-01"}\n`).join(''))

describe('a server that is killed and comes back', () => {
  let engine: EngineProcess
  let store: ColumnStore
  beforeAll(async () => {
    engine = await startEngineProcess()
    store = engine.store({ attemptsMax: 1 })
    await store.command('CREATE TABLE default.rows (batch UInt32, n UInt32, at Date) ENGINE = MergeTree PARTITION BY toYear(at) ORDER BY n SETTINGS non_replicated_deduplication_window = 10000')
    await store.command('CREATE TABLE default.sums (batch UInt32, times SimpleAggregateFunction(sum, UInt64)) ENGINE = AggregatingMergeTree PARTITION BY batch % 4 ORDER BY batch SETTINGS non_replicated_deduplication_window = 10000')
    await store.command('CREATE MATERIALIZED VIEW default.sums_feed TO default.sums AS SELECT batch, count() AS times FROM default.rows GROUP BY batch')
  })
  afterAll(async () => {
    await store?.close()
    await engine?.remove()
  })

  it(`has each batch once, in the table and behind its view, when the sender repeats it with its token (${KILLS} kills amid inserts, seed ${SEED})`, async () => {
    const { next: chance } = chanceFrom(SEED)
    let broken = 0
    for (let batch = 0; batch < KILLS; batch++) {
      const insert = { table: 'default.rows', rows: rows(batch), token: `batch-${batch}` }
      const killed = new Promise((resolve) => setTimeout(resolve, chance() * 250)).then(engine.kill)
      const fault = await store.insert(insert).then(() => null, (error: unknown) => error)
      await killed
      if (fault) {
        broken++
        expect(fault).toBeInstanceOf(StoreError)
        expect((fault as StoreError).code).toBe(0)
      }
      await engine.start()
      await store.insert(insert)
    }
    process.stdout.write(`column store: ${KILLS} kills, ${broken} of them amid an insert\n`)
    expect(broken).toBeGreaterThan(0)
    expect(await store.query('SELECT batch, toUInt32(count()) AS rows, toUInt32(uniqExact(n)) AS numbers FROM default.rows GROUP BY batch ORDER BY batch')).toEqual(Array.from({ length: KILLS }, (_, batch) => ({ batch, rows: ROWS, numbers: ROWS })))
    expect(await store.query('SELECT batch, toUInt32(sum(times)) AS times FROM default.sums GROUP BY batch ORDER BY batch')).toEqual(Array.from({ length: KILLS }, (_, batch) => ({ batch, times: ROWS })))
  })

  it('is met again by the same store, and a statement waits for a short absence by itself', async () => {
    const patient = engine.store({ attemptsMax: 7 })
    await engine.kill()
    const answer = patient.query('SELECT 1 AS x')
    const stored = patient.insert({ table: 'default.rows', rows: rows(1_000), token: 'patient' })
    await engine.start()
    expect(await answer).toEqual([{ x: 1 }])
    await stored
    expect(await patient.query('SELECT toUInt32(count()) AS n FROM default.rows WHERE batch = 1000')).toEqual([{ n: ROWS }])
    await patient.close()
  })

  it('raises an answer that it breaks off', async () => {
    const reading = async (): Promise<void> => {
      for await (const piece of store.stream('SELECT number FROM system.numbers', 'RowBinary')) if (piece) await engine.kill()
    }
    await expect(reading()).rejects.toMatchObject({ name: 'StoreError', code: 0 })
    await engine.start()
  })

  it('ends the statement of a reader that went away', async () => {
    for await (const piece of store.stream('SELECT number FROM system.numbers', 'RowBinary')) if (piece) break
    await expect.poll(() => store.query("SELECT 1 AS x FROM system.processes WHERE query LIKE '%FROM system.numbers%' AND query NOT LIKE '%system.processes%'"), { timeout: 30_000 }).toEqual([])
  })

  it('stops on SIGTERM with code 0, and keeps what it had', async () => {
    expect(await engine.stop()).toBe(0)
    await engine.start()
    expect(await store.query('SELECT toUInt32(count()) AS n FROM default.rows WHERE batch = 1000')).toEqual([{ n: ROWS }])
  })

  it('stores nothing of an insert whose body breaks off between two rows, and all of it when it is repeated', async () => {
    const insert = { table: 'default.rows', rows: rows(2_000), token: 'half' }
    const whole = insert.rows
    const half = whole.subarray(0, whole.indexOf('\n', whole.length >> 1) + 1)
    const target = `/?${new URLSearchParams({ query: 'INSERT INTO default.rows FORMAT JSONEachRow', insert_deduplication_token: 'half', async_insert: '0' })}`
    const head = `POST ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: ${engine.authorization}\r\n`
    for (const framing of [`Content-Length: ${whole.length}\r\n\r\n`, `Transfer-Encoding: chunked\r\n\r\n${half.length.toString(16)}\r\n`]) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(new URL(engine.url).port), '127.0.0.1')
        socket.on('close', () => resolve()).on('error', () => {}).resume()
        socket.end(Buffer.concat([Buffer.from(head + framing), half]))
      })
      expect(await store.query('SELECT toUInt32(count()) AS n FROM default.rows WHERE batch = 2000')).toEqual([{ n: 0 }])
    }
    await store.insert(insert)
    expect(await store.query('SELECT toUInt32(count()) AS n FROM default.rows WHERE batch = 2000')).toEqual([{ n: ROWS }])
  })

  it('refuses another password', async () => {
    const stranger = engine.store({ password: 'no' })
    await expect(stranger.query('SELECT 1')).rejects.toMatchObject({ name: 'StoreError', code: 516 })
    await expect(stranger.insert({ table: 'default.rows', rows: rows(1), token: 'x' })).rejects.toMatchObject({ name: 'StoreError', code: 516 })
    await stranger.close()
  })
})

describe('a server that is not there', () => {
  const servers: Server[] = []
  const sockets = new Set<Socket>()
  afterEach(() => {
    sockets.forEach((socket) => socket.destroy())
    servers.splice(0).forEach((server) => server.close())
  })
  const serverThat = async (act: (socket: Socket) => void): Promise<string> => {
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      act(socket)
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as { port: number }).port}`
  }
  const open = (url: string, options = {}): ColumnStore => createClickHouseStore({ url, username: 'u', password: 'p', attemptsMax: 2, ...options })

  it('is a clear StoreError for each kind of statement', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    const store = open(url)
    const fault = { name: 'StoreError', code: 0, message: expect.stringContaining(`the column store at ${new URL(url).host} cannot be reached`) }
    await expect(store.query('SELECT 1')).rejects.toMatchObject(fault)
    await expect(store.command('SELECT 1')).rejects.toMatchObject(fault)
    await expect(store.insert({ table: 'a.b', rows: rows(1), token: 't' })).rejects.toMatchObject(fault)
    await expect(store.stream('SELECT 1', 'TSV')[Symbol.asyncIterator]().next()).rejects.toMatchObject(fault)
    await store.close()
  })

  it('is asked a question twice when it hangs up, a statement that is no question only once', async () => {
    let asked = 0
    const store = open(await serverThat((socket) => {
      asked++
      socket.once('data', () => socket.destroy())
    }))
    await expect(store.query('SELECT 1')).rejects.toMatchObject({ name: 'StoreError', code: 0 })
    expect(asked).toBe(2)
    await expect(store.command('ALTER TABLE a.b DELETE WHERE 1')).rejects.toMatchObject({ name: 'StoreError', code: 0 })
    expect(asked).toBe(3)
    await store.close()
  })

  it('is given up when it says nothing, before its answer and in the middle of it', async () => {
    const silent = open(await serverThat(() => {}), { answerMsMax: 300 })
    await expect(silent.query('SELECT 1')).rejects.toMatchObject({ name: 'StoreError', code: 159 })
    await silent.close()
    const half = open(await serverThat((socket) => socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n1\n\r\n'))), { answerMsMax: 300 })
    const reading = async (): Promise<void> => {
      for await (const _ of half.stream('SELECT 1', 'TSV'));
    }
    await expect(reading()).rejects.toMatchObject({ name: 'StoreError', code: 159 })
    await half.close()
  })

  it('is told from a proxy that answers for it', async () => {
    const store = open(await serverThat((socket) => socket.once('data', () => socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 11\r\nConnection: close\r\n\r\nno upstream'))))
    await expect(store.query('SELECT 1')).rejects.toMatchObject({ name: 'StoreError', code: 0, message: expect.stringContaining('HTTP 502 no upstream') })
    await store.close()
  })

  it('lets a bounded number of statements wait, and none when the store is closed', async () => {
    const store = open(await serverThat(() => {}), { connections: 2, waitingMax: 3, answerMsMax: 300, attemptsMax: 1 })
    const answers = await Promise.allSettled(Array.from({ length: 8 }, () => store.query('SELECT 1')))
    const codes = answers.map((answer) => (answer.status === 'rejected' ? (answer.reason as StoreError).code : null))
    expect(codes.filter((code) => code === 202)).toHaveLength(3)
    expect(codes.filter((code) => code === 159)).toHaveLength(5)
    await store.close()
    await expect(store.query('SELECT 1')).rejects.toMatchObject({ name: 'StoreError', code: 0 })
  })
})
