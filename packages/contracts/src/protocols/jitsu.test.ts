import { describe, expect, it } from 'vitest'
import { decodeEvent } from '../decode.ts'

const AT = Date.parse('2024-06-01T12:00:00Z')
const project = { id: 1, currency: 'EUR', identity: { types: [], blockedValues: [] } } as unknown as Parameters<typeof decodeEvent>[1]
const decode = (raw: object) =>
  decodeEvent({ source: 'default', protocol: 'jitsu', receivedAt: AT, sentAt: null }, project, { type: 'track', event: 'A', anonymousId: 'a1', messageId: 'm1', ...raw })
const library = (env: string) => ({ context: { library: { name: '@jitsu/js', version: '1.11.0', env } } })

describe('an event of Jitsu', () => {
  it('comes from a page or a server, though both have one library', () => {
    expect([decode(library('browser')), decode(library('node')), decode({ ...library('node'), channel: 'shop' })]).toMatchObject([{ channel: 'web' }, { channel: 'server' }, { channel: 'shop' }])
  })

  it('is read as Segment’s are, with all that it says', () => {
    const context = { ...library('browser').context, clientIds: { fbp: 'f1' }, campaign: { source: 'news', medium: 'email', name: 'spring' }, traits: { email: 'ada@example.com' } }
    expect(decode({ event: 'Order Completed', userId: 'u1', properties: { revenue: 12.5, currency: 'usd', shelf: 7 }, context, timestamp: '2024-06-01T11:00:00.000Z', sentAt: '2024-06-01T11:59:59.000Z' })).toMatchObject({
      messageId: 'm1', event: 'Order Completed', userId: 'u1', anonymousId: 'a1', revenue: '12.5', currency: 'USD', channel: 'email', properties: { shelf: 7 },
      traits: { email: 'ada@example.com' }, context, timestamp: AT - 3_600_000, sentAt: AT - 1000,
    })
  })

  it('has no user and no group where it writes null', () => {
    expect(decode({ userId: null, groupId: null })).toMatchObject({ userId: null, groupId: null })
  })
})
