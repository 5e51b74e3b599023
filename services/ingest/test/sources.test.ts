import { sourceSettings } from '@millrace/contracts'
import { describe, expect, it } from 'vitest'
import { acceptedOf, rejectedOf } from './memory-log.ts'
import { setUp } from './set-up.ts'

const batchOf = (size: number) => ({ batch: Array.from({ length: size }, (_, at) => ({ type: 'track', event: 'Seen', userId: `u${at}` })) })

const withSource = async (settings: object) => {
  const system = await setUp()
  const key = await system.projects.addSource(system.project.id, sourceSettings.parse({ name: 'web', ...settings }))
  const send = async (size: number, headers: Record<string, string> = {}) => {
    const answer = await system.post('/v1/batch', batchOf(size), { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`, ...headers })
    return { status: answer.statusCode, code: answer.json().code as string | undefined, retryAfter: answer.headers['retry-after'] }
  }
  const turnedAway = async () =>
    (await system.http.inject('/metrics')).body.split('\n').filter((line) => line.startsWith('millrace_ingest_requests_turned_away_total{'))
  return { ...system, key, send, turnedAway }
}

describe('the limit of a source', () => {
  it('answers browsers with 503 and a time to wait, takes nothing meanwhile, and counts each refusal once', async () => {
    const { send, time, log, turnedAway } = await withSource({ eventsPerSecondMax: 40 })
    expect(await send(100)).toMatchObject({ status: 200 })
    expect(await send(50)).toEqual({ status: 503, code: 'SOURCE_BUSY', retryAfter: '2' })
    expect(acceptedOf(log)).toHaveLength(100)
    time.at += 1_250
    expect((await send(50)).status).toBe(200)
    expect(acceptedOf(log)).toHaveLength(150)
    expect(await turnedAway()).toEqual(['millrace_ingest_requests_turned_away_total{code="SOURCE_BUSY"} 1'])
  })

  it('answers a trusted server with 429', async () => {
    const { send } = await withSource({ eventsPerSecondMax: 1, server: true })
    expect([(await send(100)).status, await send(1)]).toEqual([200, { status: 429, code: 'SOURCE_LIMIT', retryAfter: '1' }])
  })

  it('is no other source\'s, and ends when it is taken away', async () => {
    const { send, post, projects, project } = await withSource({ eventsPerSecondMax: 1 })
    await send(100)
    expect((await post('/v1/batch', batchOf(100))).statusCode).toBe(200)
    await projects.changeSource(project.id, 'web', { eventsPerSecondMax: null })
    expect((await send(1000)).status).toBe(200)
  })
})

describe('the allowed origins of a source', () => {
  it('keep the pages of others out, and let its own pages and servers in', async () => {
    const { send, post, key, log, turnedAway } = await withSource({ allowedOrigins: ['https://shop.example', 'https://*.shop.example'], eventsPerSecondMax: 1 })
    expect(await send(60, { origin: 'https://evil.example' })).toMatchObject({ status: 403, code: 'ORIGIN_NOT_ALLOWED' })
    expect((await send(60, { origin: 'null' })).status).toBe(403)
    const headers = { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}`, origin: 'https://evil.example' }
    expect((await post('/v1/batch', '{broken', headers)).statusCode).toBe(403)
    expect([acceptedOf(log).length, rejectedOf(log).length]).toEqual([0, 0])
    expect([(await send(1, { origin: 'https://shop.example' })).status, (await send(1, { origin: 'https://m.shop.example' })).status, (await send(1)).status]).toEqual([200, 200, 200])
    expect(await turnedAway()).toEqual(['millrace_ingest_requests_turned_away_total{code="ORIGIN_NOT_ALLOWED"} 3'])
  })
})

describe('a revoked key', () => {
  it('is unknown at once', async () => {
    const { send, projects, project } = await withSource({})
    expect((await send(1)).status).toBe(200)
    await projects.revokeKey(project.id, 'web', projects.byId(project.id)!.writeKeys.find(({ source }) => source === 'web')!.id)
    expect(await send(1)).toMatchObject({ status: 401, code: 'WRITE_KEY_UNKNOWN' })
  })
})
