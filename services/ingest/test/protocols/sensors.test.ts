import { gzipSync } from 'node:zlib'
import { type Fields, sourceSettings, topics } from '@millrace/contracts'
import { LogUnavailable } from '@millrace/ports'
import { describe, expect, it } from 'vitest'
import { storedIn } from '../golden.ts'
import { acceptedOf, rejectedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const track = (more: Fields = {}): Fields =>
  ({ type: 'track', event: 'ViewProduct', distinct_id: 'a1', time: Date.parse('2024-06-01T11:59:00Z'), _track_id: 7, properties: { city: '北京 ÿ?~' }, ...more })
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')
const packed = (value: unknown): string => gzipSync(JSON.stringify(value)).toString('base64')
const form = (fields: Record<string, string>): string => new URLSearchParams(fields).toString()
const BROWSER = { origin: 'https://shop.example' }
const URL = '/sa?project=default&token=wk'

const start = async () => {
  const system = await setUp()
  const send = (payload: string | Buffer, url = URL, headers: Record<string, string> = {}) => system.post(url, payload, headers)
  const stored = () => acceptedOf(system.log).filter(({ header }) => header.kind === 'events').map(({ line }) => JSON.parse(line.toString()) as Fields)
  const commands = () => system.log.lines(topics.accepted.name).filter(({ header }) => header.kind === 'control').map(({ line }) => JSON.parse(line.toString()) as Fields)
  return { ...system, send, stored, commands }
}

describe('the protocol of Sensors', () => {
  it('reads each encoding of the SDKs, whatever flags say', async () => {
    const { send, http, stored } = await start()
    const event = track()
    const bodies = [
      form({ data: packed(event), gzip: '1' }), form({ data: packed(event), gzip: '0' }), form({ data_list: packed([event]), gzip: '1' }), form({ data_list: base64([event]) }),
      form({ data: base64(event), ext: 'crc=-1' }), form({ data: base64(event).replaceAll('+', '-').replaceAll('/', '_') }), `data=${base64(event)}`,
      JSON.stringify([event]), base64(event),
    ]
    for (const body of bodies) expect(await send(body)).toMatchObject({ statusCode: 200, body: '' })
    expect((await send(gzipSync(bodies[0]!))).statusCode).toBe(200)
    for (const data of [base64(event), packed(event)]) expect((await http.inject(`${URL.replace('/sa', '/sa.gif')}&data=${encodeURIComponent(data)}&ext=crc%3D1`)).headers['content-type']).toBe('image/gif')
    expect(stored()).toEqual(Array.from({ length: 12 }, () => event))
  })

  it('takes beacons of pages of other sites', async () => {
    const { http, stored } = await start()
    const answer = await http.inject({ method: 'POST', url: '/sa.gif?token=wk', payload: form({ data: base64(track()) }), headers: { 'content-type': 'text/plain;charset=UTF-8', origin: 'https://shop.example' } })
    expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([200, 'https://shop.example'])
    expect(stored()[0]).toHaveProperty('peer')
  })

  it('never lets one bad event harm its batch, and answers 200', async () => {
    const { send, stored, log } = await start()
    const bad = [{ type: 'profile_burn', distinct_id: 'a1' }, 5, track({ event: '' }), track({ time: 'soon' }), track({ token: 'other' }), { type: 'track', event: 'A' }]
    expect((await send(form({ data_list: packed([track(), ...bad, track({ _track_id: 8, token: 'wk' })]) }))).statusCode).toBe(200)
    expect(stored()).toHaveLength(2)
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['TYPE_UNKNOWN', 'NOT_AN_OBJECT', 'EVENT_NAME_MISSING', 'TIMESTAMP_INVALID', 'WRITE_KEY_MIXED', 'IDENTITY_MISSING'])
  })

  it('keeps a body that cannot be read, and answers 200: else the SDK would come again for ever', async () => {
    const { send, http, log } = await start()
    for (const body of ['', 'data=', 'data=%7B', 'data_list=AAAA', '{', form({ data: 'H4sIAAAA' })]) expect([body, (await send(body)).statusCode]).toEqual([body, 200])
    expect(await http.inject('/sa.gif?token=wk&data=AAAA')).toMatchObject({ statusCode: 200, headers: { 'content-type': 'image/gif' } })
    expect(await http.inject('/sa.gif?token=wk')).toMatchObject({ statusCode: 200 })
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['BATCH_MISSING', 'BATCH_MISSING', 'NOT_JSON', 'NOT_JSON', 'NOT_JSON', 'BODY_UNREADABLE', 'NOT_JSON', 'BATCH_MISSING'])
  })

  it('is silent to an unknown key and counts it; the key may stand in the event', async () => {
    const { send, http, stored } = await start()
    for (const url of ['/sa', '/sa?token=nobody']) expect(await send(form({ data: base64(track()) }), url)).toMatchObject({ statusCode: 200, body: '' })
    expect((await http.inject('/metrics')).body).toMatch(/unauthorised_total\{code="WRITE_KEY_UNKNOWN"[^}]*\} 1/)
    expect(stored()).toEqual([])
    await send(form({ data_list: base64([track({ token: 'wk' }), track({ _track_id: 8 })]) }), '/sa')
    expect(stored()).toHaveLength(2)
  })

  it('tells what is wrong on /debug, and keeps nothing of a dry run', async () => {
    const { send, stored, log } = await start()
    const url = '/debug?token=wk'
    const dry = { 'dry-run': 'true' }
    expect((await send(form({ data: packed(track()), gzip: '1' }), url, dry)).statusCode).toBe(200)
    expect(await send(form({ data: packed(track({ event: '' })) }), url, dry)).toMatchObject({ statusCode: 400, body: 'EVENT_NAME_MISSING: A track event needs a name in event.' })
    for (const body of ['data=no json', '', gzipSync('{}').subarray(0, 12)]) expect((await send(body, url, dry)).statusCode).toBe(400)
    expect([stored(), rejectedOf(log)]).toEqual([[], []])
    expect((await send(form({ data: packed(track()) }), url)).statusCode).toBe(200)
    expect((await send(form({ data: packed(track({ time: 'soon' })) }), url)).statusCode).toBe(400)
    expect((await send(form({ data: packed(track()) }), '/debug?token=nobody')).statusCode).toBe(401)
    expect(stored()).toHaveLength(1)
  })

  it('answers 503 when nothing could be kept, so that the batching SDK comes again', async () => {
    const { send, log } = await start()
    log.failWith(new LogUnavailable('LOG_BUSY', 'full'))
    expect(await send(form({ data: base64(track()) }))).toMatchObject({ statusCode: 503 })
  })

  it('answers a server over the limit of its source with 429: silence would lose what it sent', async () => {
    const { send, projects, project } = await start()
    const key = await projects.addSource(project.id, sourceSettings.parse({ name: 'shop', eventsPerSecondMax: 1, server: true }))
    const url = `/sa?project=default&token=${key}`
    await send(form({ data_list: packed(Array.from({ length: 100 }, () => track())) }), url)
    expect(await send(form({ data: base64(track()) }), url)).toMatchObject({ statusCode: 429, body: expect.stringMatching(/^SOURCE_LIMIT/) as unknown })
  })

  it('says of a sign-up that names two bare ids that the new one is a user wherever it stands alone', async () => {
    const { send, stored } = await start()
    const signup = track({ type: 'track_signup', event: '$SignUp', distinct_id: 'u1', original_id: 'a1' })
    await send(form({ data_list: base64([signup, { ...signup, login_id: 'u1', anonymous_id: 'a1' }, { ...signup, original_id: 'u1' }]) }))
    expect(stored().map((event) => [event['distinct_id'], event['original_id']])).toEqual([['u1', 'a1'], ['u1', 'u1'], ['u1', 'a1'], ['u1', 'u1']])
    // The browser's `trackSignup`, and a server that names the user among the identities.
    await send(form({ data_list: base64([
      { ...signup, distinct_id: 'u2', anonymous_id: 'u2', identities: { $identity_cookie_id: 'a1' } }, { ...signup, distinct_id: 'u3', identities: { $identity_login_id: 'u3' } },
    ]) }))
    expect(stored().slice(4).map((event) => [event['distinct_id'], event['original_id']]).sort()).toEqual([['u2', 'a1'], ['u2', 'u2'], ['u3', 'a1']])
  })

  it('takes a body that waited in the SDK’s queue for what it is, not for a clock that is behind', async () => {
    const { send, time, log, project } = await start()
    const at = time.at
    await send(form({ data_list: base64([track({ time: at, _flush_time: at })]) }), URL, BROWSER)
    time.at += 20 * 60_000
    await send(form({ data_list: base64([track({ time: at + 1, _flush_time: at + 2 })]) }), URL, BROWSER)
    expect(storedIn(log, project, new Set()).stored.map(({ timestamp }) => timestamp).sort()).toEqual([at, at + 1])
  })

  it('cuts what an unbind names from its person', async () => {
    const { send, commands, stored } = await start()
    const unbind = track({ type: 'track_id_unbind', event: '$UnbindID', distinct_id: 'u1', identities: { $identity_email: 'Ada@Example.com', $identity_unheard: 'x' } })
    await send(form({ data_list: base64([unbind, { ...unbind, token: 'other' }, track({ identities: { $identity_email: 'b@c.de' } })]) }))
    expect(commands().map(({ op, a, b }) => [op, a, b])).toEqual([['unlink', 'email:ada@example.com', 'user_id:u1'], ['unlink', 'email:ada@example.com', 'anonymous_id:u1']])
    await send(form({ data: base64({ ...unbind, identities: { $identity_email: 'c@d.ef' }, login_id: 'u2', anonymous_id: 'a2' }) }))
    expect(commands().slice(2).map(({ a, b }) => [a, b])).toEqual(['user_id:u2', 'user_id:u1', 'anonymous_id:a2', 'anonymous_id:u1'].map((key) => ['email:c@d.ef', key]))
    expect(commands()[0]!['order']).toMatchObject({ time: track()['time'], messageId: expect.stringMatching(/^h-/) as unknown })
    expect(stored()).toHaveLength(3)
  })
})
