import { describe, expect, it } from 'vitest'
import { basicUserOf, callerOf, createHttp, createLogger, createProjects, createSignInPath, projectRoutes, requireApiKey, signInRoutes } from '../src/index.ts'
import { createCountingIds, createFixedClock } from './fixed.ts'
import { createMemoryHotStore } from './memory-hot-store.ts'
import { createMemoryLog } from './memory-log.ts'

const setUp = async () => {
  const [hot, log, ids, clock] = [createMemoryHotStore(), createMemoryLog(), createCountingIds(), createFixedClock()]
  const projects = createProjects({ hot, log, ids, clock })
  await projects.start()
  const deps = { hot, log, ids, clock, projects }
  const made = await projects.create({ name: 'Shop', zone: 'UTC', currency: 'EUR' })
  const http = createHttp({ logger: createLogger('silent'), ids })
  await http.register(signInRoutes(deps))
  await http.register(projectRoutes(deps))
  http.get('/api/me', { onRequest: requireApiKey(deps) }, async (request) => callerOf(request).project.id)
  http.get('/api/admin', { onRequest: requireApiKey(deps, 'admin') }, async (request) => callerOf(request).role)
  return { ...deps, ...made, http }
}
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

describe('projects', () => {
  it('finds a project by its keys, and keeps only hashes of API keys', async () => {
    const { projects, hot, writeKey, apiKey, project } = await setUp()
    expect(projects.byWriteKey(writeKey)).toMatchObject({ project: { id: project.id }, source: 'default' })
    expect(projects.byApiKey(apiKey)).toMatchObject({ project: { id: project.id }, role: 'admin' })
    expect(projects.byWriteKey(apiKey)).toBeUndefined()
    expect(projects.byApiKey(writeKey)).toBeUndefined()
    expect(await projects.shownWriteKey(project.id)).toBe(writeKey)
    const kept = JSON.stringify(await hot.scan('projects', { prefix: '', limit: 100 }))
    expect(kept).not.toContain(apiKey)
  })

  it('learns of keys that another copy made, after a while', async () => {
    const { hot, log, ids, clock, projects, project } = await setUp()
    const other = createProjects({ hot, log, ids, clock })
    await other.start()
    const key = await projects.addWriteKey(project.id, 'app')
    expect(other.byWriteKey(key)).toBeUndefined()
    clock.forward(10_000)
    await expect.poll(() => other.byWriteKey(key)?.source).toBe('app')
    await Promise.all([other.stop(), projects.stop()])
  })

  it('gives each new project an id of its own', async () => {
    const { projects } = await setUp()
    const second = await projects.create({ name: 'Other', zone: 'Asia/Shanghai', currency: 'CNY', writeKey: 'given', apiKey: 'given-too' })
    expect(second).toMatchObject({ project: { id: 2 }, writeKey: 'given', apiKey: 'given-too' })
    expect(projects.byWriteKey('given')?.project.id).toBe(2)
  })
})

describe('POST /api/projects', () => {
  it('is for admins of the first project, and tells keys that know the new one only', async () => {
    const { http, projects, apiKey, project } = await setUp()
    const make = (key: string, payload: object) => http.inject({ method: 'POST', url: '/api/projects', headers: bearer(key), payload })
    const made = await make(apiKey, { name: '分店', zone: 'Asia/Shanghai', currency: 'CNY' })
    expect(made.statusCode).toBe(201)
    const { id, writeKey, apiKey: second } = made.json()
    expect(made.json()).toMatchObject({ id: 2, name: '分店', zone: 'Asia/Shanghai', currency: 'CNY' })
    expect(projects.byWriteKey(writeKey)?.project.id).toBe(id)
    expect((await http.inject({ url: '/api/me', headers: bearer(second) })).json()).toBe(id)
    expect((await make(second, { name: 'Third' })).json().code).toBe('ROLE_INSUFFICIENT')
    expect((await make(await projects.addApiKey(project.id, 'analyst'), { name: 'Third' })).json().code).toBe('ROLE_INSUFFICIENT')
    expect((await make(apiKey, { name: '', zone: 'Nowhere', currency: 'x', id: 7 })).json()).toMatchObject({ code: 'BAD_REQUEST' })
    expect(projects.all()).toHaveLength(2)
  })
})

describe('access to the API', () => {
  it('takes an API key of the right role and nothing else', async () => {
    const { http, projects, apiKey, writeKey, project } = await setUp()
    const analyst = await projects.addApiKey(project.id, 'analyst')
    const code = async (url: string, headers: Record<string, string>) => {
      const answer = await http.inject({ url, headers })
      return answer.statusCode === 200 ? 200 : answer.json().code
    }
    expect(await code('/api/me', bearer(apiKey))).toBe(200)
    expect(await code('/api/me', bearer(analyst))).toBe(200)
    expect(await code('/api/admin', bearer(analyst))).toBe('ROLE_INSUFFICIENT')
    expect(await code('/api/me', bearer(writeKey))).toBe('API_KEY_UNKNOWN')
    expect(await code('/api/me', {})).toBe('API_KEY_MISSING')
    expect(await code('/api/me', { cookie: 'millrace_session=00' })).toBe('API_KEY_MISSING')
  })

  it('signs one visitor in by a link, once, until the session ends', async () => {
    const { http, hot, ids, clock, project } = await setUp()
    const url = await createSignInPath({ hot, ids, clock }, { project: project.id, role: 'admin' })
    const first = await http.inject({ url })
    const set = String(first.headers['set-cookie'])
    expect(set).toMatch(/HttpOnly; SameSite=Strict/)
    const cookie = set.split(';', 1)[0]!
    expect((await http.inject({ url: '/api/session', headers: { cookie } })).json()).toMatchObject({ role: 'admin', project: { id: project.id } })
    expect((await http.inject({ url })).json().code).toBe('SIGN_IN_LINK_INVALID')
    clock.forward(8 * 86_400_000)
    expect((await http.inject({ url: '/api/session', headers: { cookie } })).statusCode).toBe(401)
  })

  it('ends a session at sign-out', async () => {
    const { http, hot, ids, clock, project } = await setUp()
    const url = await createSignInPath({ hot, ids, clock }, { project: project.id, role: 'analyst' })
    const cookie = String((await http.inject({ url })).headers['set-cookie']).split(';', 1)[0]!
    expect((await http.inject({ url: '/api/sign-out', method: 'POST', headers: { cookie } })).statusCode).toBe(204)
    expect((await http.inject({ url: '/api/me', headers: { cookie } })).statusCode).toBe(401)
  })

  it('reads the write key of HTTP Basic', () => {
    expect(basicUserOf(`Basic ${Buffer.from('key:').toString('base64')}`)).toBe('key')
    expect(basicUserOf('Basic ')).toBeUndefined()
    expect(basicUserOf('Bearer key')).toBeUndefined()
  })
})
