import { describe, expect, it } from 'vitest'
import { storedIn } from '../golden.ts'
import { rejectedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const NODE = { 'openpanel-client-id': 'wk', 'openpanel-client-secret': 'very-secret', 'openpanel-sdk-name': 'node', 'openpanel-sdk-version': '1.3.1' }
const BROWSER = { 'openpanel-client-id': 'wk', 'openpanel-sdk-name': 'web', 'openpanel-sdk-version': '1.4.1', 'user-agent': 'Mozilla/5.0 Firefox/130.0', origin: 'https://shop.example' }

describe('the tracking API of OpenPanel', () => {
  it('calls a page’s visitor a device, the same all day, and files its events under it', async () => {
    const { post, time, log, project, givenIds } = await setUp()
    const send = async () => (await post('/track', { type: 'track', payload: { name: 'a' } }, BROWSER)).json() as { deviceId: string; sessionId: string }
    const first = await send()
    expect(first).toEqual({ deviceId: expect.stringMatching(/^v-[0-9a-f]{32}$/), sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/) })
    time.at += 11 * 3_600_000
    expect((await send()).deviceId).toBe(first.deviceId)
    time.at += 2 * 3_600_000
    expect((await send()).deviceId).not.toBe(first.deviceId)
    const { stored } = storedIn(log, project, givenIds)
    expect(stored.filter(({ anonymousId }) => anonymousId === first.deviceId)).toHaveLength(2)
    expect(stored[0]).toMatchObject({ channel: 'web', context: { library: { name: 'openpanel-web', version: '1.4.1' } } })
  })

  it('does not make one person of all users of a server, and never writes the secret', async () => {
    const { post, log, project, givenIds } = await setUp()
    expect((await post('/track', { type: 'track', payload: { name: 'a', profileId: 'u1' } }, NODE)).json()).toEqual({ deviceId: '', sessionId: '' })
    await post('/track', { type: 'track', payload: { name: 'b' } }, NODE)
    await post('/track', { type: 'track', payload: { name: 'c' } }, { ...NODE, 'x-client-ip': '203.0.113.7' })
    expect(storedIn(log, project, givenIds).stored.map(({ event, userId, anonymousId }) => [event, userId, anonymousId?.slice(0, 2) ?? null]).sort()).toEqual([['a', 'u1', null], ['b', null, null], ['c', null, 'v-']])
    expect(log.lines('events.accepted').some(({ line }) => line.includes('very-secret'))).toBe(false)
  })

  it('puts a person into each group, and takes a recording of the screen without keeping it', async () => {
    const { post, log, project, givenIds } = await setUp()
    await post('/track', { type: 'assign_group', payload: { groupIds: ['g1', 'g2'], profileId: 'u1' } }, NODE)
    expect((await post('/track', { type: 'replay', payload: { payload: 'x' } }, BROWSER)).statusCode).toBe(200)
    expect(storedIn(log, project, givenIds).stored.map(({ type, groupId, userId }) => [type, groupId, userId])).toEqual([['group', 'g1', 'u1'], ['group', 'g2', 'u1']])
  })

  it('answers so that the SDK comes again only when that helps', async () => {
    const { post, log } = await setUp()
    const refused = await post('/track', { type: 'nothing', payload: {} }, NODE)
    expect([refused.statusCode, refused.json()]).toMatchObject([202, { code: 'TYPE_UNKNOWN' }])
    expect((await post('/track', {}, NODE)).statusCode).toBe(202)
    expect((await post('/track', '[1]', NODE)).statusCode).toBe(202)
    const unknown = await post('/track', { type: 'track', payload: { name: 'a' } }, { ...NODE, 'openpanel-client-id': 'other' })
    expect([unknown.statusCode, unknown.json()]).toMatchObject([401, { status: 401, error: 'WRITE_KEY_UNKNOWN' }])
    expect((await post('/track', '{"type', NODE)).json()).toMatchObject({ status: 400, error: 'NOT_JSON' })
    expect(rejectedOf(log).slice(0, 3).map(({ bytes }) => JSON.parse(Buffer.from(bytes, 'base64').toString()) as unknown)).toEqual([{ type: 'nothing', payload: {}, anonymousId: '' }, { anonymousId: '' }, [1]])
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['TYPE_UNKNOWN', 'TYPE_UNKNOWN', 'NOT_AN_OBJECT', 'NOT_JSON'])
  })
})
