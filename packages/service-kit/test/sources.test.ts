import { describe, expect, it } from 'vitest'
import { createHttp, createLogger, createProjects, openApiRoutes, sourceRoutes } from '../src/index.ts'
import { createCountingIds, createFixedClock } from './fixed.ts'
import { createMemoryHotStore } from './memory-hot-store.ts'
import { createMemoryLog } from './memory-log.ts'

const HOUR = 3_600_000

const setUp = async () => {
  const [hot, log, ids, clock] = [createMemoryHotStore(), createMemoryLog(), createCountingIds(), createFixedClock()]
  const projects = createProjects({ hot, log, ids, clock })
  await projects.start()
  const deps = { hot, log, ids, clock, projects }
  const made = await projects.create({ name: 'Shop', zone: 'UTC', currency: 'EUR' })
  const http = createHttp({ logger: createLogger('silent'), ids })
  await http.register(openApiRoutes({ title: 'Millrace', version: '1' }))
  await http.register(sourceRoutes(deps))
  const call = async (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object, key = made.apiKey) => {
    const answer = await http.inject({ method, url: `/api/sources${url}`, headers: { authorization: `Bearer ${key}` }, ...(payload && { payload }) })
    return { status: answer.statusCode, headers: answer.headers, body: answer.body === '' ? null : answer.json() }
  }
  const keysOf = async (name: string) => (await call('GET', '')).body.sources.find((source: { name: string }) => source.name === name)?.keys
  return { ...deps, ...made, call, keysOf }
}

describe('the sources of a project', () => {
  it('are made with a key that is told once and opens the door', async () => {
    const { call, projects, project, hot, log } = await setUp()
    const made = await call('POST', '', { name: 'web', allowedOrigins: ['https://Shop.example/'], eventsPerSecondMax: 50 })
    expect(made).toMatchObject({ status: 201, body: { name: 'web', allowedOrigins: ['https://shop.example'], eventsPerSecondMax: 50, server: false } })
    expect(made.headers['cache-control']).toBe('no-store')
    const { writeKey } = made.body
    expect(projects.byWriteKey(writeKey)).toMatchObject({ project: { id: project.id }, source: 'web', settings: { eventsPerSecondMax: 50 } })
    const listed = await call('GET', '')
    expect(listed.body.sources.map(({ name }: { name: string }) => name)).toEqual(['web', 'default'])
    expect(listed.body.sources[0].keys).toEqual([{ id: expect.stringMatching(/^[0-9a-f]{12}$/), createdAt: expect.any(String), expiresAt: null, revokedAt: null }])
    const kept = JSON.stringify([await hot.scan('projects', { prefix: '', limit: 100 }), (await log.read('projects', 0, 0, { recordsMax: 100, bytesMax: 1e6 })).map(({ value }) => Buffer.from(value).toString())])
    expect(JSON.stringify(listed.body) + kept).not.toContain(writeKey)
  })

  it('are refused with a wrong name, a name that is there, or what no source has', async () => {
    const { call } = await setUp()
    expect((await call('POST', '', { name: 'Web Shop' })).body.code).toBe('BAD_REQUEST')
    expect((await call('POST', '', { name: 'web', colour: 'red' })).body.code).toBe('BAD_REQUEST')
    expect((await call('POST', '', { name: 'web', allowedOrigins: ['shop.example'] })).body.code).toBe('BAD_REQUEST')
    expect((await call('POST', '', { name: 'default' })).body).toMatchObject({ code: 'SOURCE_EXISTS', status: 409 })
    expect((await call('PATCH', '/web', { server: true })).body).toMatchObject({ code: 'SOURCE_NOT_FOUND', status: 404 })
    expect((await call('POST', '/web/rotate')).body.code).toBe('SOURCE_NOT_FOUND')
    expect((await call('DELETE', '/web/keys/0')).body.code).toBe('SOURCE_NOT_FOUND')
    expect((await call('DELETE', '/default/keys/0')).body).toMatchObject({ code: 'KEY_NOT_FOUND', status: 404 })
  })

  it('are for admins, each of its own project', async () => {
    const { call, projects, project } = await setUp()
    await call('POST', '', { name: 'web' })
    const analyst = await projects.addApiKey(project.id, 'analyst')
    expect((await call('GET', '', undefined, analyst)).body.code).toBe('ROLE_INSUFFICIENT')
    expect((await call('POST', '', { name: 'app' }, analyst)).body.code).toBe('ROLE_INSUFFICIENT')
    const other = await projects.create({ name: 'Other', zone: 'UTC', currency: 'EUR' })
    expect((await call('GET', '', undefined, other.apiKey)).body.sources.map(({ name }: { name: string }) => name)).toEqual(['default'])
    expect((await call('PATCH', '/web', { server: true }, other.apiKey)).body.code).toBe('SOURCE_NOT_FOUND')
  })

  it('change in what is given alone', async () => {
    const { call, projects, writeKey } = await setUp()
    await call('PATCH', '/default', { eventsPerSecondMax: 9, allowedOrigins: ['https://*.shop.example'] })
    const changed = await call('PATCH', '/default', { eventsPerSecondMax: null, server: true })
    expect(changed.body).toMatchObject({ allowedOrigins: ['https://*.shop.example'], eventsPerSecondMax: null, server: true })
    expect(projects.byWriteKey(writeKey)?.settings).toMatchObject({ server: true, allowedOrigins: ['https://*.shop.example'] })
  })
})

describe('the keys of a source', () => {
  it('are rotated: the old one works until its grace is over, by the clock, without a reading of the store', async () => {
    const { call, projects, clock, writeKey, project, keysOf } = await setUp()
    const rotated = await call('POST', '/default/rotate', { graceMs: HOUR })
    expect(rotated.status).toBe(201)
    expect([projects.byWriteKey(writeKey)?.source, projects.byWriteKey(rotated.body.writeKey)?.source]).toEqual(['default', 'default'])
    expect((await keysOf('default')).map(({ expiresAt }: { expiresAt: string | null }) => expiresAt)).toEqual([new Date(clock.now() + HOUR).toISOString(), null])
    await projects.stop()
    clock.forward(HOUR - 1)
    expect(projects.byWriteKey(writeKey)).toBeDefined()
    clock.forward(1)
    expect([projects.byWriteKey(writeKey), projects.byWriteKey(rotated.body.writeKey)?.source]).toEqual([undefined, 'default'])
    expect(await projects.shownWriteKey(project.id)).toBe(rotated.body.writeKey)
  })

  it('work a day longer when nothing is said', async () => {
    const { call, clock, keysOf } = await setUp()
    await call('POST', '/default/rotate')
    expect((await keysOf('default'))[0].expiresAt).toBe(new Date(clock.now() + 24 * HOUR).toISOString())
  })

  it('are revoked here at once, and at another copy within its time of refreshing, though it has seen the key before', async () => {
    const { call, projects, hot, log, ids, clock, writeKey, project, keysOf } = await setUp()
    const other = createProjects({ hot, log, ids, clock })
    await other.start()
    expect(other.byWriteKey(writeKey)).toBeDefined()
    const [{ id }] = await keysOf('default')
    expect((await call('DELETE', `/default/keys/${id}`)).status).toBe(204)
    expect(projects.byWriteKey(writeKey)).toBeUndefined()
    clock.forward(5_000)
    await expect.poll(() => other.byWriteKey(writeKey)).toBeUndefined()
    expect((await keysOf('default'))[0].revokedAt).not.toBeNull()
    expect(await projects.shownWriteKey(project.id)).toBeUndefined()
    await Promise.all([other.stop(), projects.stop()])
  })
})
