import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGuard, createProjectDatabase, type Guard } from '@millrace/clickhouse-http'
import { chanceFrom } from '@millrace/contracts'
import { ask, openFixture, type Fixture } from './fixture.ts'
import { REFUSED } from './probes.ts'

let fixture: Fixture
let guard: Guard
const none = new Map<string, string>()
beforeAll(async () => {
  fixture = await openFixture()
  await createProjectDatabase(fixture.columns, 1)
  await createProjectDatabase(fixture.columns, 2)
  guard = await createGuard(fixture.columns)
})
afterAll(() => fixture.close())

const text = async (sql: string, key?: string): Promise<string> => {
  const answer = await ask(fixture.url, sql, key === undefined ? {} : { key })
  return `${answer.status} ${await answer.text()}`
}

const VIEWS = ['events', 'people', 'identities', 'segments', 'memberships', 'flips', 'ledger']

const DAILY = [
  ['SELECT count() FROM events', '10'],
  ['select count(*) from millrace.events', '10'],
  ['SELECT COUNT(DISTINCT person_id) FROM `millrace`."events" WHERE event = \'open event\'', '1'],
  ['WITH e AS (SELECT * FROM events) SELECT uniqExact(message_id) FROM e', '10'],
  ['SELECT e.event FROM events AS e INNER JOIN people AS p ON e.user_id = p.user_id LIMIT 1', 'open event'],
  ['SELECT count() FROM events, people', '10'],
  ["SELECT JSONExtractString(properties, 'word') FROM millrace.events LIMIT 1", 'open'],
  ['SELECT sum(revenue) FROM (SELECT revenue FROM events UNION ALL SELECT revenue FROM millrace.events)', '20'],
  ['SELECT events.event FROM events GROUP BY events.event', 'open event'],
  ['SELECT millrace.events.event FROM millrace.events LIMIT 1', 'open event'],
  ['SELECT count() FROM events WHERE user_id IN (SELECT user_id FROM people)', '10'],
  ['SELECT row_number() OVER (PARTITION BY event ORDER BY message_id) AS n FROM events ORDER BY n DESC LIMIT 1', '10'],
  ['SELECT countIf(revenue > 0), quantile(0.5)(revenue), sumIf(revenue, type = \'track\') FROM events', '10\t1\t10'],
  ['SELECT size FROM segments', '1'],
  ['SELECT received, stored, rejected, duplicate, erased, pending FROM ledger', '11\t10\t0\t1\t0\t0'],
  ['SELECT flip, number, cause FROM flips', 'entered\t1\tevent'],
  ['SELECT name FROM system.databases', 'millrace'],
  ['SHOW DATABASES', 'millrace'],
  ["SELECT count() FROM system.tables WHERE database = 'millrace'", '7'],
  ["SELECT count() > 40 FROM system.columns", '1'],
  ['SELECT currentDatabase(), version() != \'\'', 'millrace\t1'],
  ['EXISTS TABLE events', '1'],
  ['EXISTS TABLE nothing', '0'],
  ['SELECT arrayJoin([1,2]) AS x, x - -1 FROM numbers(1) LIMIT 1', '1\t2'],
  ['SELECT 1 -- a comment; with a semicolon\n;', '1'],
  ["SELECT 'FORMAT Native', `format` FROM (SELECT 'x' AS format)", 'FORMAT Native\tx'],
  ['SELECT 1 FORMAT TSV', '1'],
  ['SELECT 1 AS a UNION ALL SELECT 1 SETTINGS union_default_mode = \'ALL\' FORMAT CSV', '1\n1'],
  ['SELECT * FROM numbers(3) ORDER BY number DESC', '2\n1\n0'],
] as const

describe('what analysts do every day is answered', () => {
  it('takes a format whose name is a keyword', async () => {
    expect(await text('SELECT 1 FORMAT Null')).toBe('200 ')
  })
  it.each(DAILY)('%s', async (sql, expected) => {
    expect(await text(sql)).toBe(`200 ${expected}\n`)
  })

  it('SHOW TABLES and DESCRIBE know the seven views', async () => {
    expect((await text('SHOW TABLES FROM millrace')).slice(4).trim().split('\n').sort()).toEqual([...VIEWS].sort())
    expect(await text('DESCRIBE TABLE millrace.flips FORMAT TSV')).toContain("at\tDateTime64(3, \\'UTC\\')")
    expect(await text("SHOW TABLES LIKE 'fl%'")).toBe('200 flips\n')
  })
})

describe('what analysts may not ask is refused', () => {
  it.each(REFUSED)('%s', async (sql) => {
    if (!sql.includes('FORMAT MySQLWire')) await expect(guard(sql, 1, none)).rejects.toThrow(/./)
    const answer = await text(sql)
    expect(answer.slice(0, 3)).not.toBe('200')
    expect(answer).not.toMatch(/secret|root:/)
  })

  it('covers more than a hundred probes', () => {
    process.stdout.write(`guard: ${REFUSED.length} probes that must be refused\n`)
    expect(REFUSED.length).toBeGreaterThan(100)
  })
})

describe('one project does not see the other', () => {
  it.each(VIEWS)('through %s, column by column', async (view) => {
    const one = await text(`SELECT * FROM ${view} FORMAT JSONEachRow`)
    expect(one).toContain('"project":1')
    expect(one).not.toMatch(/secret|"project":2/)
    const two = await text(`SELECT * FROM ${view} FORMAT JSONEachRow`, 'key-two')
    expect(two).toContain('"project":2')
    expect(two).not.toMatch(/open|"project":1/)
  })

  it('through an error that tells a value: rows of the other project are never read', async () => {
    for (const sql of [
      'SELECT toUInt32(message_id) FROM events', "SELECT count() FROM events WHERE throwIf(startsWith(message_id, 'secret')) = 0",
      'SELECT count() FROM events WHERE toUInt32OrZero(message_id) = 0 AND toUInt32(user_id) = 1', "SELECT count() FROM events WHERE project = 2 AND throwIf(user_id != '') = 0",
      'SELECT toUInt32(value) FROM identities', 'SELECT toUInt32(user_id) FROM people', 'SELECT toUInt32(segment_id) FROM flips', 'SELECT toUInt32(name) FROM segments', 'SELECT toUInt32(source) FROM ledger',
    ]) expect(await text(sql)).not.toContain('secret')
    expect(await text("SELECT count() FROM events WHERE throwIf(startsWith(message_id, 'secret'), 'seen') = 0")).toBe('200 10\n')
    expect(await text("SELECT count() FROM flips WHERE throwIf(startsWith(segment_id, 'secret'), 'seen') = 0")).toBe('200 1\n')
  })

  it('through a name that the statement itself declares', async () => {
    expect(await text("WITH events AS (SELECT 'mine' AS event) SELECT event FROM events")).toBe('200 mine\n')
    expect(await text("WITH people AS (SELECT event FROM millrace.events) SELECT count() FROM people")).toBe('200 10\n')
  })

  it('through parameters', async () => {
    const bound = (query: string, sql: string): Promise<string> => ask(fixture.url, sql, { query }).then((answer) => answer.text())
    expect(await bound('param_n=5&param_s=it%27s', 'SELECT {n:UInt8} + 1, {s:String}')).toBe("6\tit\\'s\n")
    expect(await bound('param_t=events', 'SELECT count() FROM {t:Identifier}')).toBe('10\n')
    expect(await bound('param_t=millrace_p2.events', 'SELECT count() FROM {t:Identifier}')).toContain('Code:')
    expect(await bound("param_s=')%3B%20SELECT%20*%20FROM%20millrace_p2.events", 'SELECT {s:String}')).not.toContain('secret')
  })
})

/** A line of the engine's resolved tree that names a table, a table function or a function out of reach. */
const leavesProject = (explain: string): boolean => {
  const table = /TABLE id: .*table_name: (\S+)/.exec(explain)?.[1]
  const called = /TABLE_FUNCTION id: .*table_function_name: (\w+)/.exec(explain)?.[1]
  return (
    (table !== undefined && !/^(millrace_p1\.|system\.one)/.test(table)) ||
    (called !== undefined && !/^(numbers|values|generate_series)$/i.test(called)) ||
    /function_name: (file|sleep\w*|dict\w+|joinGet\w*|getSetting)\b/.test(explain)
  )
}

describe('mutated statements', () => {
  it('never read what the guard would have to refuse', async () => {
    const seed = 20_241
    const next = chanceFrom(seed).next
    const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)]!
    const pieces = ['millrace_store.events', 'millrace_p2.events', '`millrace_p2`.events', 'system.processes', "file('/etc/passwd')", "merge('millrace_p2','.*')", 'events', 'people',
      '(', ')', '/*', '*/', '--', '\n', "'", '`', '"', '\\', ';', ',', '.', ' IN ', ' FROM ', ' UNION ALL SELECT * FROM ', ' AS ', 'WITH x AS (', 'SELECT ', ' SETTINGS ', ' FORMAT TSV', '{t:Identifier}', '$$', '\u00a0', 'x -> ', ' JOIN ', ' USING ', '*', 'e']
    let [passed, resolved] = [0, 0]
    const outside: string[] = []
    const tries = process.env['MILLRACE_LONG'] === '1' ? 30_000 : 1_000
    for (let n = 0; n < tries; n++) {
      let sql: string = next() < 0.5 ? pick(REFUSED) : pick(DAILY)[0]
      for (let m = 1 + Math.floor(next() * 3); m > 0; m--) {
        const at = Math.floor(next() * (sql.length + 1))
        sql = next() < 0.6 ? sql.slice(0, at) + pick(pieces) + sql.slice(at) : sql.slice(0, at) + sql.slice(at + 1 + Math.floor(next() * 4))
      }
      const guarded = await guard(sql, 1, none).catch(() => null)
      if (!guarded) continue
      passed += 1
      // Every table that a passed statement can reach is told by the engine after it resolved all names.
      const plan = await fixture.columns.query<{ explain: string }>(`EXPLAIN QUERY TREE ${guarded.sql}`).catch(() => [])
      if (plan.length > 0) resolved += 1
      for (const { explain } of plan) {
        if (leavesProject(explain)) outside.push(sql)
      }
    }
    process.stdout.write(`guard: seed ${seed}, ${tries} mutations tried, ${passed} passed the guard, ${resolved} of them could run, ${outside.length} left its project\n`)
    expect(outside).toEqual([])
  })
})
