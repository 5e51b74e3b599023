import { beforeAll, describe, expect, it } from 'vitest'
import { REFUSED } from '../../../packages/clickhouse-http/test/probes.ts'
import { eventually, type Millrace } from '../../support/millrace.ts'
import { millraceForAll, type Start } from '../../support/running.ts'
import { plainly, tenantOf, type Plain, type Tenant } from '../../support/tenant.ts'

/** Both projects hold the same ids; what differs is a word that stands in everything of one project. */
interface Side {
  readonly tenant: Tenant
  readonly word: string
  readonly project: number
  readonly segment: string
  readonly person: string
}

let millrace: Millrace
let one: Side
let two: Side

/** One instance, on whatever `start` gives: one that has its first project only, without events. */
export const twoProjects = (start?: Start): unknown => describe('two projects of one instance', () => {
  const running = millraceForAll(start)
  beforeAll(() => setUp(running.millrace), 120_000)
  ofAnApiKey()
  ofKeys()
  ofClickHouse()
})

const setUp = async (started: Millrace): Promise<void> => {
  millrace = started
  const first = tenantOf(millrace, millrace)
  const made = await first.json<{ id: number; writeKey: string; apiKey: string }>('/api/projects', { name: 'The second shop', zone: 'Asia/Shanghai', currency: 'CNY' })
  ;[one, two] = [await fill(first, 'emerald', 1), await fill(tenantOf(millrace, made), 'crimson', made.id)]
}

const fill = async (tenant: Tenant, word: string, project: number): Promise<Side> => {
  const { id: segment } = await tenant.json<{ id: string }>('/api/segments', { name: `segment ${word}`, rule: { did: { event: `Ordered ${word}`, measure: 'count', op: 'gte', value: 1, window: { last: '30d' } } } })
  await eventually(() => tenant.json<{ state: string }>(`/api/segments/${segment}`), ({ state }) => state === 'live')
  const mark = { properties: { [`key_${word}`]: word }, context: { ip: word } }
  const events = [
    { type: 'track', messageId: `m-1-${word}`, anonymousId: 'a-1', event: `Viewed ${word}`, ...mark },
    { type: 'identify', messageId: `m-2-${word}`, anonymousId: 'a-1', userId: 'u-1', traits: { secret: word } },
    { type: 'track', messageId: `m-3-${word}`, userId: 'u-1', event: `Ordered ${word}`, ...mark },
    { type: 'track', messageId: `m-4-${word}`, userId: 'u-2', event: `Viewed ${word}`, ...mark },
    { type: 'track', messageId: `m-5-${word}`, userId: `u-${word}`, event: `Viewed ${word}`, ...mark },
    { type: 'track', event: `From nobody ${word}` },
  ]
  for (const batch of [events, events.slice(0, 1)]) expect((await tenant.send(batch)).status).toBe(200)
  await eventually(() => tenant.json<{ total: { received: number; stored: number; rejected: number; duplicate: number; pending: number } }>('/api/ledger'),
    ({ total }) => total.received === 7 && total.stored === 5 && total.rejected === 1 && total.duplicate === 1 && total.pending === 0)
  await eventually(() => tenant.json<{ members: unknown[] }>(`/api/segments/${segment}/members`), ({ members }) => members.length === 1)
  await eventually(() => tenant.json<{ people: unknown[] }>('/api/profiles'), ({ people }) => people.length === 3)
  const { personId } = await tenant.json<{ personId: string }>('/api/profiles?userId=u-1')
  return { tenant, word, project, segment, person: personId }
}

const bothWays = (): readonly (readonly [Side, Side])[] => [[one, two], [two, one]]
const today = (offset: number): string => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10)
const span = () => ({ from: today(-1), to: today(1) })
/** What is refused says why without saying what there is. */
const expectNone = ({ status, text }: Plain, other: Side): void => {
  expect(status).toBeGreaterThanOrEqual(400)
  expect(text).not.toContain(other.word)
}

const ofAnApiKey = (): unknown => describe('an API key of one project', () => {
  it('reads every route and finds its own project only, though both hold the same ids', async () => {
    for (const [own, other] of bothWays()) {
      const did = (event: string) => ({ did: { event, measure: 'count', op: 'gte', value: 1, window: { last: '30d' } } })
      const answers = [
        ...(await Promise.all(
          ['/api/profiles', '/api/profiles?userId=u-1', '/api/profiles?anonymousId=a-1', `/api/profiles/${own.person}`, `/api/profiles/${own.person}/timeline`, '/api/segments', `/api/segments/${own.segment}`,
            `/api/segments/${own.segment}/members`, `/api/segments/${own.segment}/flips`, `/api/segments/${own.segment}/people/${own.person}`, '/api/ledger', '/api/overview', '/api/rejected', '/api/catalogue',
            `/api/catalogue?event=Viewed%20${own.word}`, '/api/session', '/api/setup'].map((path) => own.tenant.api(path)))),
        ...(await Promise.all([
          ['/api/metrics/trends', { events: [{ event: '*' }, { event: `Viewed ${other.word}` }], measure: 'people', ...span() }],
          ['/api/metrics/trends', { events: [{ event: '*' }], measure: 'events', breakdown: { property: `key_${own.word}` }, ...span() }],
          ['/api/metrics/retention', { start: { event: '*' }, return: { event: '*' }, ...span() }],
          ['/api/metrics/funnel', { steps: [{ event: `Viewed ${own.word}` }, { event: `Ordered ${own.word}` }], ...span() }],
          ['/api/segments/preview', { rule: did(`Viewed ${own.word}`) }],
        ].map(([path, body]) => own.tenant.api(path as string, { method: 'POST', body })))),
      ]
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
      const text = answers.map((answer) => answer.text).join('\n').replaceAll(`Viewed ${other.word}`, '')
      for (const foreign of [other.word, other.person, other.segment, other.tenant.writeKey]) expect(text).not.toContain(foreign)
      expect(text).toContain(own.word)
    }
  })

  it('counts nothing of the other: people, events, segments, money, the ledger', async () => {
    for (const [{ tenant, word, project }, other] of bothWays()) {
      const people = async (event: string): Promise<number> => {
        const { series } = await tenant.json<{ series: { points: { value: number }[] }[] }>('/api/metrics/trends', { events: [{ event }], measure: 'events', ...span() })
        return series[0]!.points.reduce((sum, { value }) => sum + value, 0)
      }
      expect([await people('*'), await people(`Viewed ${word}`), await people(`Viewed ${other.word}`)]).toEqual([4, 3, 0])
      expect(await tenant.json('/api/overview')).toMatchObject({ people: 3, stored: 5, refusedTotal: 1 })
      expect(await tenant.json('/api/catalogue?event=Viewed%20' + other.word)).toMatchObject({ properties: [] })
      expect(await tenant.json('/api/session')).toMatchObject({ project: { id: project } })
      const preview = (event: string) => tenant.json('/api/segments/preview', { rule: { did: { event, measure: 'count', op: 'gte', value: 1, window: { last: '30d' } } } })
      expect([await preview(`Viewed ${word}`), await preview(`Viewed ${other.word}`)]).toMatchObject([{ size: 3, people: 3 }, { size: 0, people: 3 }])
    }
  })

  it('is told that the other project’s people and segments do not exist, by whatever id', async () => {
    for (const [{ tenant, segment, person }, other] of bothWays()) {
      const rule = { name: 'taken over', rule: { profile: { trait: 'secret', op: 'exists' } } }
      const tries = [
        tenant.api(`/api/profiles/${other.person}`), tenant.api(`/api/profiles/${other.person}/timeline`), tenant.api(`/api/profiles?userId=u-${other.word}`),
        tenant.api(`/api/segments/${other.segment}`), tenant.api(`/api/segments/${other.segment}/members`), tenant.api(`/api/segments/${other.segment}/flips`),
        tenant.api(`/api/segments/${other.segment}/people/${other.person}`), tenant.api(`/api/segments/${other.segment}/people/${person}`), tenant.api(`/api/segments/${segment}/people/${other.person}`),
        tenant.api(`/api/segments/${other.segment}`, { method: 'PUT', body: rule }), tenant.api(`/api/segments/${other.segment}`, { method: 'DELETE' }),
      ]
      for (const answer of (await Promise.all(tries)).map((answer) => ({ ...answer, text: answer.text.replaceAll(`u-${other.word}`, '') }))) {
        expect(answer.status).toBe(404)
        expectNone(answer, other)
      }
      expect(await other.tenant.json(`/api/segments/${other.segment}`)).toMatchObject({ name: `segment ${other.word}`, version: 1 })
    }
  })

  it('brings nothing of the other by a page’s cursor', async () => {
    for (const [{ tenant, person }, other] of bothWays()) {
      const { next } = await other.tenant.json<{ next: string }>('/api/profiles?limit=1')
      const line = await other.tenant.json<{ next: string }>(`/api/profiles/${other.person}/timeline?limit=1`)
      for (const path of [`/api/profiles?after=${encodeURIComponent(next)}`, `/api/profiles/${person}/timeline?after=${encodeURIComponent(line.next)}`]) expect((await tenant.api(path)).text).not.toContain(other.word)
    }
  })

  it('merges keys of its own project only', async () => {
    const command = { op: 'merge', a: { type: 'user_id', value: 'u-1' }, b: { type: 'user_id', value: 'u-2' } }
    expect((await two.tenant.api('/api/identity/commands', { method: 'POST', body: command })).status).toBe(202)
    const personOf = async ({ tenant }: Side, user: string): Promise<string> => (await tenant.json<{ personId: string }>(`/api/profiles?userId=${user}`)).personId
    await eventually(async () => (await personOf(two, 'u-1')) === (await personOf(two, 'u-2')), (same) => same)
    expect(await personOf(one, 'u-1')).not.toBe(await personOf(one, 'u-2'))
  })

  it('makes another project only where the machine’s owner holds it', async () => {
    const answer = await two.tenant.api('/api/projects', { method: 'POST', body: { name: 'a third' } })
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([403, 'ROLE_INSUFFICIENT'])
  })

  it('gets the other’s live events from no stream', async () => {
    for (const [{ tenant, word }, other] of bothWays()) {
      const live = await fetch(`${millrace.url}/api/live`, { headers: { authorization: `Bearer ${tenant.apiKey}` } })
      const reader = live.body!.pipeThrough(new TextDecoderStream()).getReader()
      const { value } = await reader.read()
      await reader.cancel()
      expect(value).toContain(word)
      expect(value).not.toContain(other.word)
    }
  })
})

const ofKeys = (): unknown => describe('keys', () => {
  it('open only their own door: a write key never reads, an API key never writes', async () => {
    for (const [{ tenant }] of bothWays()) {
      const asWriteKey = tenantOf(millrace, { writeKey: tenant.apiKey, apiKey: tenant.writeKey })
      for (const path of ['/api/profiles', '/api/segments', '/api/ledger', '/api/overview', '/api/live', '/api/rejected', '/api/catalogue', '/api/session', '/api/setup']) expect((await asWriteKey.api(path)).status).toBe(401)
      expect((await asWriteKey.api('/api/profiles', { headers: { authorization: `Basic ${btoa(`${tenant.writeKey}:`)}` } })).status).toBe(401)
      expect((await asWriteKey.send([{ type: 'track', userId: 'u', event: 'E' }])).status).toBe(401)
      const answer = await asWriteKey.sql('SELECT 1')
      expect([answer.status, answer.headers['x-clickhouse-exception-code']]).toEqual([403, '516'])
    }
    // Nobody's key, and what needs none: it tells of the process, not of anybody's data.
    for (const path of ['/api/profiles', '/api/overview', '/']) expect((await plainly(millrace.url + path)).status).toBe(401)
    const open = (await Promise.all(['/metrics', '/readyz', '/healthz'].map((path) => plainly(millrace.url + path)))).map(({ text }) => text).join('\n')
    for (const { word, person, segment } of [one, two]) for (const foreign of [word, person, segment]) expect(open).not.toContain(foreign)
  })

  it('of the page: the session of the first project stays there, and opens no ClickHouse', async () => {
    const link = /Page +(\S+)/.exec(millrace.output())![1]!
    const cookie = String((await plainly(link)).headers['set-cookie']).split(';', 1)[0]!
    const withCookie = (path: string, headers: Record<string, string> = {}): Promise<Plain> => plainly(millrace.url + path, { headers: { cookie, ...headers } })
    expect(JSON.parse((await withCookie('/api/session')).text)).toMatchObject({ project: { id: one.project } })
    expect((await withCookie(`/api/profiles/${two.person}`)).status).toBe(404)
    expect((await withCookie('/api/overview')).text).not.toContain(two.word)
    // A key that is shown wins over the cookie, also a wrong one.
    expect(JSON.parse((await withCookie('/api/session', { authorization: `Bearer ${two.tenant.apiKey}` })).text)).toMatchObject({ project: { id: two.project } })
    expect((await withCookie('/api/session', { authorization: 'Bearer nobody-s' })).status).toBe(401)
    expect((await plainly(`${millrace.clickhouseUrl}/?query=SELECT%201`, { headers: { cookie } })).status).toBe(403)
    // Another site's page in the same browser.
    for (const headers of FOREIGN_PAGES) {
      const answer = await withCookie('/api/overview', headers)
      expect(answer.status).toBe(403)
      expect(answer.text).not.toContain(one.word)
      expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    }
    expect((await withCookie('/', { host: 'evil.example' })).status).toBe(403)
    const preflight = await plainly(`${millrace.url}/api/overview`, { method: 'OPTIONS', headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' } })
    expect(preflight.headers['access-control-allow-origin']).toBeUndefined()
    const door = await plainly(millrace.clickhouseUrl, { method: 'POST', body: 'SELECT 1', headers: { origin: 'https://evil.example', authorization: `Basic ${btoa(`analyst:${one.tenant.apiKey}`)}` } })
    expect(door.headers['access-control-allow-origin']).toBeUndefined()
  })
})

const FOREIGN_PAGES: readonly Readonly<Record<string, string>>[] = [
  { origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' },
  { host: 'evil.example' }, { host: 'evil.example:8080', origin: 'http://evil.example:8080' },
]

const VIEWS = ['events', 'people', 'identities', 'segments', 'memberships', 'flips', 'ledger']

const ofClickHouse = (): unknown => describe('ClickHouse over HTTP', () => {
  it('shows each key its own project through every view, however the view is reached', async () => {
    let asked = 0
    for (const [{ tenant, project }, other] of bothWays()) {
      for (const view of VIEWS) {
        for (const sql of [
          `SELECT * FROM ${view}`, `SELECT * FROM millrace.${view}`, `SELECT * FROM (SELECT * FROM ${view})`, `WITH x AS (SELECT * FROM ${view}) SELECT * FROM x`, `SELECT * FROM ${view} UNION ALL SELECT * FROM millrace.${view}`,
          `SELECT * FROM ${view} WHERE project IN (SELECT project FROM ${view})`, `SELECT a.* FROM ${view} AS a INNER JOIN ${view} AS b ON a.project = b.project`, `SELECT * FROM ${view} WHERE project = ${other.project} OR 1 = 1`,
        ]) {
          const { status, text } = await tenant.sql(`${sql} FORMAT JSONEachRow`)
          asked += 1
          expect([status, text.includes(`"project":${project},`), text.includes(`"project":${other.project},`)]).toEqual([200, true, false])
          for (const foreign of [other.word, other.person, other.segment]) expect(text).not.toContain(foreign)
        }
        expect((await tenant.sql(`SELECT count() FROM ${view} WHERE project = ${other.project}`)).text).toBe('0\n')
      }
    }
    console.log(`two projects: ${asked} ways through the views showed one project each`)
  })

  it('refuses every way to the other project and every hole of the engine', async () => {
    let asked = 0
    for (const [{ tenant, project }, other] of bothWays()) {
      const toTheOther = VIEWS.flatMap((view) => [
        `SELECT * FROM millrace_p${other.project}.${view}`, `SELECT * FROM ${view} UNION ALL SELECT * FROM millrace_p${other.project}.${view}`, `SELECT * FROM ${view} WHERE project IN (SELECT project FROM millrace_p${other.project}.${view})`,
        `SELECT * FROM merge('millrace_p${other.project}', '^${view}$')`, `SELECT * FROM merge(REGEXP('millrace.*'), '^${view}$')`, `SELECT joinGet('millrace_p${other.project}.${view}', 'project', 1)`,
      ])
      const stored = ['events', 'event_day', 'profiles', 'numbers', 'flips', 'rules', 'rejected', 'repeats', 'ledger_counts', 'clock', 'person_base', 'person_delta', 'migrations'].flatMap((table) => [
        `SELECT * FROM millrace_store.${table}`, `SELECT * FROM merge('millrace_store', '^${table}$')`, `SELECT * FROM dictionary('millrace_store.${table}')`, `SELECT dictGet('millrace_store.${table}', 'person', toUInt64(1))`, `SELECT joinGet('millrace_store.${table}', 'project', 1)`,
      ])
      const swap = (sql: string): string => sql.replace(/millrace_p(\d)/gi, () => `millrace_p${other.project}`)
      const probes = [...REFUSED.map((sql) => (project === 1 ? sql : swap(sql))), ...toTheOther, ...stored]
      for (const sql of probes) {
        const { status, text } = await tenant.sql(sql)
        asked += 1
        expect({ sql, refused: status >= 400 }).toEqual({ sql, refused: true })
        expect(text).not.toMatch(new RegExp(`${other.word}|root:`))
      }
    }
    console.log(`two projects: ${asked} statements that had to be refused were`)
  })
})
