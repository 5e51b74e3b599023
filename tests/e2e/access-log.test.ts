import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { settledLedger } from '../support/ledger.ts'
import { eventually } from '../support/millrace.ts'
import { runProgram } from '../support/program.ts'
import { skipped } from '../support/requirements.ts'
import { millraceForAll } from '../support/running.ts'

interface Expected {
  readonly lines: number
  readonly unparsed: number
  readonly distinct_ip: number
  readonly distinct_ip_ua: number
  readonly by_status: Readonly<Record<string, number>>
  readonly by_method: Readonly<Record<string, number>>
  readonly bytes: number
  readonly sessions_ip_ua_30min: number
  readonly hits_by_utc_day: Readonly<Record<string, number>>
  readonly dau_ip_by_utc_day: Readonly<Record<string, number>>
  readonly top_paths: readonly (readonly [string, number])[]
}
interface Trends {
  readonly series: readonly { readonly points: readonly { readonly at: string; readonly value: number }[] }[]
}

const folder = process.env['MILLRACE_DATASETS'] ?? ''
const log = join(folder, 'apache_logs.gz')
const available = folder !== '' && existsSync(log)
const skip = skipped(['datasets'], 'the known answers of apache_logs.gz', available ? null : 'it is not in the folder MILLRACE_DATASETS')

describe.skipIf(skip)('an access log of 10,000 lines, imported from a file', () => {
  const running = millraceForAll()
  const work = mkdtempSync(join(tmpdir(), 'millrace-access-log-'))
  let expected: Expected
  let stored = 0

  const importOnce = async (): Promise<string> => {
    const { code, text } = await runProgram('import/main.js', [log, '--refused', join(work, 'refused')], { MILLRACE_URL: running.millrace.url, MILLRACE_WRITE_KEY: running.millrace.writeKey })
    expect(code).toBe(0)
    return text
  }
  const counted = async (what: string, column: string): Promise<Record<string, number>> => {
    const rows = await running.millrace.sql<{ name: string; n: number }>(`SELECT toString(${column}) AS name, ${what} AS n FROM events GROUP BY name`)
    return Object.fromEntries(rows.map(({ name, n }) => [name, Number(n)]))
  }
  const one = async (what: string): Promise<number> => Number((await running.millrace.sql<{ n: number }>(`SELECT ${what} AS n FROM events`))[0]!.n)

  beforeAll(async () => {
    expected = JSON.parse(readFileSync(join(folder, 'expected', 'apache_logs.json'), 'utf8')) as Expected
    stored = expected.lines - expected.unparsed
    const text = await importOnce()
    console.log(`access log: ${text.split('\n').find((printed) => printed.startsWith('Sent'))}`)
    expect(text).toContain(`Sent ${stored.toLocaleString('en')} events`)
    expect(text).toContain('NOT_AN_ACCESS_LOG')
    expect(await settledLedger(running.millrace, stored)).toMatchObject({ received: stored, stored, rejected: 0, duplicate: 0 })
  })
  afterAll(() => rmSync(work, { recursive: true, force: true }))

  it('is stored but for the one line that is cut off, which is told', () => {
    const refused = readFileSync(join(work, 'refused'), 'utf8').trim().split('\n').map((text) => JSON.parse(text) as { code: string })
    expect(refused.map(({ code }) => code)).toEqual(Array.from({ length: expected.unparsed }, () => 'NOT_AN_ACCESS_LOG'))
  })

  it('has one person for each address and agent', async () => {
    expect(await one('uniqExact(person_id)')).toBe(expected.distinct_ip_ua)
    expect(await one("uniqExact(JSONExtractString(context, 'ip'))")).toBe(expected.distinct_ip)
    // Profiles are written by a consumer of their own, which the ledger does not wait for.
    const people = async (): Promise<number> => Number((await running.millrace.sql<{ n: number }>('SELECT count() AS n FROM people'))[0]!.n)
    await eventually(people, (n) => n >= expected.distinct_ip_ua)
    expect(await people()).toBe(expected.distinct_ip_ua)
  })

  it('has the known statuses, methods, bytes and paths', async () => {
    expect(await counted('count()', "JSONExtractInt(properties, 'status')")).toEqual(expected.by_status)
    expect(await counted('count()', "JSONExtractString(properties, 'method')")).toEqual(expected.by_method)
    expect(await one("sum(JSONExtractUInt(properties, 'bytes'))")).toBe(expected.bytes)
    const paths = await counted('count()', "concat(JSONExtractString(properties, 'path'), JSONExtractString(context, 'page', 'search'))")
    expect(Object.fromEntries(expected.top_paths.map(([path]) => [path, paths[path]]))).toEqual(Object.fromEntries(expected.top_paths))
  })

  it('has the known days and sessions', async () => {
    const days = Object.keys(expected.hits_by_utc_day)
    const { series } = await running.millrace.api<Trends>('/api/metrics/trends', { events: [{ event: '*' }], measure: 'events', interval: 'day', from: days[0], to: days.at(-1) })
    expect(Object.fromEntries(series[0]!.points.map(({ at, value }) => [at, value]))).toEqual(expected.hits_by_utc_day)
    expect(await counted("uniqExact(JSONExtractString(context, 'ip'))", 'toDate(timestamp)')).toEqual(expected.dau_ip_by_utc_day)
    const [sessions] = await running.millrace.sql<{ n: number }>(`SELECT sum(begins) AS n FROM (SELECT timestamp - lagInFrame(timestamp, 1, toDateTime64(0, 3, 'UTC')) OVER
      (PARTITION BY person_id ORDER BY timestamp ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) > 1800 AS begins FROM events)`)
    expect(Number(sessions!.n)).toBe(expected.sessions_ip_ua_30min)
  })

  it('has robots as marked people, and pages only of what was shown', async () => {
    expect(await one("countIf(type = 'page' AND JSONExtractString(properties, 'method') != 'GET')")).toBe(0)
    const [pages, robots] = [await one("countIf(type = 'page')"), await one("countIf(JSONExtractBool(properties, 'bot'))")]
    console.log(`access log: ${pages} pages, ${robots} events of robots`)
    expect(pages).toBeGreaterThan(1_000)
    expect(robots).toBeGreaterThan(1_000)
  })

  it('adds nothing when it is imported again', async () => {
    await importOnce()
    expect(await settledLedger(running.millrace, 2 * stored)).toMatchObject({ received: 2 * stored, stored, rejected: 0, duplicate: stored })
    expect(await one('count()')).toBe(stored)
  })
})
