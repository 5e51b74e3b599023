import { describe, expect, it } from 'vitest'
import { decodeEvent } from '../decode.ts'
import { readLine } from './read-line.ts'

const AT = Date.parse('2024-06-01T12:00:00Z')
const project = { id: 1, currency: 'EUR', identity: { types: [], blockedValues: [] } } as unknown as Parameters<typeof decodeEvent>[1]
const decode = (raw: object, sentAt: number | null = AT) =>
  decodeEvent({ source: 'default', protocol: 'rudderstack', receivedAt: AT, sentAt }, project, { type: 'track', event: 'A', anonymousId: 'a1', messageId: 'm1', ...raw })

describe('an event of RudderStack', () => {
  it('takes "$direct" for no referrer, in its properties and in its page, and loses nothing else', () => {
    const page = { referrer: '$direct', initial_referrer: '$direct', referring_domain: '', path: '/shop', note: '$direct' }
    const rest = { referring_domain: '', path: '/shop', note: '$direct' }
    expect(decode({ type: 'page', properties: page, context: { page, os: { name: 'Linux' } } })).toMatchObject({ properties: rest, context: { page: rest, os: { name: 'Linux' } } })
    const event = decode({ type: 'page', properties: page, context: { page } })
    expect([Object.keys('properties' in event ? event.properties : {}).sort(), 'context' in event && event.context]).toEqual([Object.keys(rest).sort(), { page: rest }])
  })

  it('keeps a referrer that is one', () => {
    const page = { referrer: 'https://search.example/', initial_referrer: '$direct' }
    const event = decode({ properties: page, context: { page } })
    expect('properties' in event && [event.properties, event.context]).toEqual([{ referrer: page.referrer }, { page: { referrer: page.referrer } }])
  })

  it('has no user where the browser writes an empty one', () => {
    expect(decode({ userId: '' })).toMatchObject({ userId: null, anonymousId: 'a1' })
  })

  it('reads the traits of an identify from its context, and those of a group from the group alone', () => {
    expect(decode({ type: 'identify', userId: 'u1', context: { traits: { email: 'ada@example.com' } } })).toMatchObject({ traits: { email: 'ada@example.com' } })
    expect(decode({ type: 'group', userId: 'u1', groupId: 'g1', traits: { name: 'Shop' }, context: { traits: { email: 'ada@example.com' } } })).toMatchObject({ groupId: 'g1', traits: { name: 'Shop' } })
  })

  it('believes the time that the caller gave, and corrects the one that the SDK wrote', () => {
    const [behind, written, chosen] = [AT - 7_200_000, '2024-06-01T09:59:00Z', '2024-05-01T08:00:00Z']
    expect(decode({ originalTimestamp: written }, behind)).toMatchObject({ timestamp: Date.parse('2024-06-01T11:59:00Z') })
    expect(decode({ originalTimestamp: written, timestamp: chosen }, behind)).toMatchObject({ timestamp: Date.parse(chosen), originalTimestamp: Date.parse(written) })
  })

  it('belongs to the session of its context', () => {
    expect(decode({ context: { sessionId: 1795729193884, sessionStart: true } })).toMatchObject({ sessionId: '1795729193884' })
  })

  it('comes by the way that it names beside its type, where no campaign says more', () => {
    expect(decode({ channel: 'server', context: { library: { name: 'analytics-node' } } })).toMatchObject({ channel: 'server' })
    expect(decode({ channel: 'web', context: { campaign: { medium: 'email' } } })).toMatchObject({ channel: 'email' })
  })

  it('is passed on as it is where its parts are no objects', () => {
    expect(readLine('rudderstack', { properties: '$direct', context: 5 })).toMatchObject({ properties: '$direct', context: 5 })
    expect(readLine('rudderstack', { context: { page: null } })).toMatchObject({ context: { page: null } })
  })
})
