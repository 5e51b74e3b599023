import { decodeEvent, isRefusal, sourceSettings } from '@millrace/contracts'
import { describe, expect, it } from 'vitest'
import { acceptedOf, rejectedOf } from '../memory-log.ts'
import { setUp } from '../set-up.ts'

const seen = (properties: object = {}, event = 'Seen') => ({ event, properties: { token: 'wk', distinct_id: 'u1', time: 1_717_243_000, ...properties } })
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')
const form = (value: unknown): string => `data=${encodeURIComponent(base64(value))}`
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const decoded = ({ log, project }: Awaited<ReturnType<typeof setUp>>) =>
  acceptedOf(log).map(({ line, header }) => {
    const event = decodeEvent(header.origins[0]!, project, JSON.parse(line.toString()))
    if (isRefusal(event)) throw new Error(event.code)
    return event
  })

describe('the Mixpanel protocol', () => {
  it('reads the query, a form in base64 or plain, bare JSON, and text/plain of a beacon', async () => {
    const system = await setUp()
    const { post, http } = system
    const line = seen({ text: '???>>>~~~ü' })
    const answers = [
      await http.inject(`/track?data=${encodeURIComponent(base64(line))}`), await http.inject(`/track/?data=${encodeURIComponent(JSON.stringify(line))}`),
      await http.inject(`/import?api_key=wk&data=${encodeURIComponent(base64(line))}`),
      await post('/track/', form([line]), FORM),
      // As the SDK for Node writes it: + is not escaped.
      await post('/track', `data=${base64([line])}`, FORM),
      await post('/track', `data=${encodeURIComponent(JSON.stringify(line))}&ip=0`, FORM), await post('/track/?ip=1&_=1717243200000', form([line]), { 'content-type': 'text/plain' }),
      await post('/track', [line], { 'content-type': 'application/json' }), await post('/track', line, {}),
    ]
    expect(answers.map(({ statusCode, body }) => [statusCode, body])).toEqual(Array.from(answers, () => [200, '1']))
    expect(decoded(system).map(({ properties }) => properties['text'])).toEqual(Array.from(answers, () => '???>>>~~~ü'))
    expect(new Set(decoded(system).map(({ protocol }) => protocol))).toEqual(new Set(['mixpanel']))
  })

  it('answers verbosely where the query or the form asks for it, and with a picture where one is asked for', async () => {
    const { post, http } = await setUp()
    expect((await post('/track/?verbose=1', form([seen()]), FORM)).json()).toEqual({ status: 1, error: null })
    expect((await post('/engage', `${form([{ $token: 'wk', $distinct_id: 'u1', $set: { a: 1 } }])}&verbose=1`, FORM)).json()).toEqual({ status: 1, error: null })
    expect((await post('/import', `${form([seen()])}&verbose=1`, FORM)).json()).toEqual({ status: 1, error: null })
    expect((await post('/track/?verbose=true', form([seen()]), FORM)).json()).toEqual({ status: 1, error: null })
    const picture = await http.inject(`/track?img=1&data=${encodeURIComponent(base64(seen()))}`)
    expect([picture.headers['content-type'], picture.rawPayload.toString('latin1', 0, 6)]).toEqual(['image/gif', 'GIF89a'])
  })

  it('says no in Mixpanel’s shape', async () => {
    const { post, log } = await setUp()
    const unknown = await post('/track?verbose=1', form([seen({ token: 'other' })]), FORM)
    expect([unknown.statusCode, unknown.json()]).toMatchObject([401, { status: 0, error: expect.stringContaining('WRITE_KEY_UNKNOWN') }])
    const missing = await post('/track', form([seen({ token: undefined })]), FORM)
    expect([missing.statusCode, missing.body]).toEqual([401, '0'])
    for (const nothing of ['', 'data=', '[]', '{}']) expect([nothing, (await post('/track', nothing, {})).statusCode]).toEqual([nothing, 401])
    for (const garbage of ['data=%%%', 'data=bm8ganNvbg==', '{"event":', 'nonsense']) {
      const answer = await post('/track', garbage, {})
      expect([garbage, answer.statusCode, answer.body]).toEqual([garbage, 400, '0'])
    }
    expect([acceptedOf(log), rejectedOf(log)]).toEqual([[], []])
  })

  it('never fails a batch for one bad event, one of another key among them', async () => {
    const { post, log } = await setUp()
    const answer = await post('/track?verbose=1', [seen(), seen({ token: 'other' }), seen({}, ''), 5, seen({ token: undefined })], {})
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 1, error: null }])
    expect(acceptedOf(log)).toHaveLength(2)
    expect(rejectedOf(log).map(({ code }) => code)).toEqual(['WRITE_KEY_MIXED', 'EVENT_NAME_MISSING', 'NOT_AN_OBJECT'])
  })

  it('imports one event a line, with the key in Basic, and tells which were refused', async () => {
    const { post, log, basic } = await setUp()
    const first = '{"event":"Seen" ,"properties":{"distinct_id":"u1","time":1317243000,"big":12345678901234567890}}'
    const answer = await post('/import?strict=1', `${first}\n{"event":\n\n${JSON.stringify(seen({ token: undefined }))}\n`, basic)
    expect([answer.statusCode, answer.json()]).toMatchObject([200, { code: 200, num_records_imported: 2, status: 'OK', failed_records: [{ index: 1, field: 'NOT_JSON' }] }])
    expect(acceptedOf(log).map(({ line }) => line.toString())[0]).toMatch(first.slice(0, -1))
    expect(rejectedOf(log).map(({ bytes }) => Buffer.from(bytes, 'base64').toString())).toEqual(['{"event":'])
    expect((await post('/import?strict=1', `${first}\n${first}`, {})).json()).toMatchObject({ code: 401, status: 'WRITE_KEY_MISSING' })
    expect((await post(`/import?api_key=wk`, first, {})).statusCode).toBe(200)
    // The token of another system beside a key of ours.
    expect((await post('/import', seen({ token: 'theirs' }), basic)).statusCode).toBe(200)
    expect((await post('/import?token=wk', first, {})).statusCode).toBe(200)
  })

  it('files events under the source whose key they name, before the one that the request names', async () => {
    const { post, log, projects, project, basic } = await setUp()
    const token = await projects.addSource(project.id, sourceSettings.parse({ name: 'shop' }))
    await post('/import', seen({ token }), basic)
    expect(acceptedOf(log).map(({ header }) => header.origins[0]!.source)).toEqual(['shop'])
  })

  it('gives both copies of a beacon that is sent twice one message id', async () => {
    const system = await setUp()
    const beacon = form([seen({ $insert_id: '1qp38kf757trx3gu' })])
    for (const stamp of ['1717243200000', '1717243200007']) {
      system.time.at += 7
      await system.post(`/track/?verbose=1&ip=1&_=${stamp}`, beacon, { 'content-type': 'text/plain;charset=UTF-8' })
    }
    const ids = decoded(system).map(({ messageId }) => messageId)
    expect([ids.length, new Set(ids).size]).toEqual([2, 1])
  })

  it('gives the operations of a request message ids in the order in which they were sent', async () => {
    const system = await setUp()
    const operation = (change: object) => ({ $token: 'wk', $distinct_id: 'u1', ...change })
    const operations = [operation({ $set_once: { plan: 'free' } }), ...Array.from({ length: 10 }, (_, n) => operation({ $add: { visits: n } })), operation({ $unset: ['plan'] })]
    await system.post('/engage/', form(operations), FORM)
    const lines = acceptedOf(system.log).map(({ line }) => JSON.parse(line.toString()) as { messageId: string })
    const sorted = lines.sort((a, b) => (a.messageId < b.messageId ? -1 : 1))
    expect(sorted).toMatchObject(operations)
    expect(new Set(lines.map(({ messageId }) => messageId)).size).toBe(12)
    await system.post('/engage/', form([operation({ $set: { a: 1 }, $insert_id: 'own' }), operation({ $set: { a: 2 } })]), FORM)
    expect(decoded(system).map(({ messageId }) => messageId)).toContain('own')
    expect(acceptedOf(system.log).map(({ line }) => JSON.parse(line.toString()) as object)).toContainEqual(operation({ $set: { a: 1 }, $insert_id: 'own' }))
  })

  it('takes operations on groups, which are nobody’s', async () => {
    const system = await setUp()
    await system.post('/groups/?verbose=1', form([{ $token: 'wk', $group_key: 'company', $group_id: 'g1', $set: { name: 'Shop' } }]), FORM)
    expect(decoded(system)).toMatchObject([{ type: 'group', groupId: 'g1', userId: null, anonymousId: null }])
  })
})
