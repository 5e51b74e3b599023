import { Analytics } from '@segment/analytics-node'
import { decodeEvent, isRefusal } from '@millrace/contracts'
import { LogUnavailable } from '@millrace/ports'
import { afterEach, describe, expect, it } from 'vitest'
import { acceptedOf } from './memory-log.ts'
import { setUp } from './set-up.ts'

const open: (() => Promise<void>)[] = []
afterEach(async () => { for (const close of open.splice(0)) await close() })

const listening = async () => {
  const system = await setUp()
  system.time.at = Date.now()
  const host = await system.http.listen({ host: '127.0.0.1', port: 0 })
  open.push(() => system.http.close())
  return { ...system, host }
}

describe('the unchanged Segment SDK for Node', () => {
  it('delivers every kind of event', async () => {
    const { host, log, project } = await listening()
    const analytics = new Analytics({ writeKey: 'wk', host })
    const faults: unknown[] = []
    analytics.on('error', (fault) => faults.push(fault))
    analytics.track({ anonymousId: 'a1', event: 'Product Viewed', properties: { price: 5 } })
    analytics.identify({ userId: 'u1', anonymousId: 'a1', traits: { email: 'Ada@example.com' } })
    analytics.track({ userId: 'u1', event: 'Order Completed', properties: { revenue: 12.5, currency: 'usd' } })
    analytics.page({ userId: 'u1', name: 'Home' })
    analytics.group({ userId: 'u1', groupId: 'g1', traits: { name: 'Shop' } })
    analytics.alias({ userId: 'u1', previousId: 'old' })
    await analytics.closeAndFlush({ timeout: 60_000 })
    expect(faults).toEqual([])
    const events = acceptedOf(log).map(({ line, header }) => decodeEvent(header.origins[0]!, project, JSON.parse(line.toString())))
    expect(events.filter(isRefusal)).toEqual([])
    const told = events.flatMap((event) => (isRefusal(event) ? [] : [[event.type, event.event, event.userId, event.revenue, event.currency, event.channel]]))
    expect(told.sort()).toEqual([
      ['alias', 'Alias', 'u1', null, 'EUR', 'server'], ['group', 'Group', 'u1', null, 'EUR', 'server'],
      ['identify', 'Identify', 'u1', null, 'EUR', 'server'], ['page', 'Page Viewed', 'u1', null, 'EUR', 'server'],
      ['track', 'Order Completed', 'u1', '12.5', 'USD', 'server'], ['track', 'Product Viewed', null, null, 'EUR', 'server'],
    ])
  })

  it('sends again what could not be taken, and nothing is lost', async () => {
    const { host, log } = await listening()
    log.failWith(new LogUnavailable('LOG_BUSY', 'busy', 1))
    const analytics = new Analytics({ writeKey: 'wk', host, maxRetries: 10, flushAt: 5 })
    for (let n = 0; n < 20; n++) analytics.track({ userId: `u${n}`, event: 'Seen', messageId: `m${n}` })
    setTimeout(() => log.failWith(null), 300)
    await analytics.closeAndFlush({ timeout: 120_000 })
    const kept = acceptedOf(log).map(({ line }) => (JSON.parse(line.toString()) as { messageId: string }).messageId)
    expect(new Set(kept).size).toBe(20)
  })
})
