import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decodeEvent, isRefusal, parseRule } from '@millrace/contracts'
import { DEMO_SEGMENTS } from './segments.ts'
import { DEMO, makeShop } from './shop.ts'

const UNTIL = Date.UTC(2026, 5, 1)
const shop = makeShop({ ...DEMO, people: 2000, until: UNTIL })
const bodies = shop.messages.map((message) => message.body)

describe('the shop of the demo', () => {
  it('is the same each time, on whatever day it is made', () => {
    const digest = (until: number): string => {
      const hash = createHash('sha256')
      for (const { body } of makeShop({ ...DEMO, people: 2000, until }).messages) hash.update(JSON.stringify({ ...body, timestamp: Date.parse(body.timestamp) - until }))
      return hash.digest('hex')
    }
    expect(digest(UNTIL)).toBe(digest(UNTIL + 400 * 86_400_000))
  })

  it('has the totals that it states', () => {
    expect(shop.totals).toEqual({ people: 2000, events: 49_360, repeats: 951, late: 1482, orders: 3225, refunds: 177, revenueFen: 85_472_040 })
    const ids = new Set(bodies.map((body) => body.messageId))
    expect(ids.size).toBe(shop.totals.events)
    expect(bodies.length - ids.size).toBe(shop.totals.repeats)
  })

  it('is of 2,000 people, counted by the ids that its messages carry together', () => {
    const parent = new Map<string, string>()
    const root = (id: string): string => (parent.get(id) ?? id) === id ? id : root(parent.get(id)!)
    for (const body of bodies) {
      const ids = [body['anonymousId'], body['userId']].filter((id) => id !== undefined).map(String)
      for (const id of ids) parent.set(root(id), root(ids[0]!))
    }
    expect(new Set([...parent.keys()].map(root)).size).toBe(shop.totals.people)
  })

  it('has no event that the door would refuse, and no rule that segmentation would', () => {
    const project = { id: 1, currency: 'USD', identity: { types: [], blockedValues: [], keysPerPersonMax: 1, mergedPersonsMax: 1, usersPerDeviceMax: 1 } }
    const origin = { source: 'web', protocol: 'segment', receivedAt: UNTIL, sentAt: null }
    expect(bodies.map((body) => decodeEvent(origin, project, body)).filter(isRefusal)).toEqual([])
    for (const { rule } of DEMO_SEGMENTS) expect(parseRule(rule, { currency: 'USD' })).toMatchObject({ ok: true })
  })

  it('lies within its 90 days', () => {
    const times = bodies.map((body) => Date.parse(body.timestamp))
    expect(Math.min(...times)).toBeGreaterThanOrEqual(UNTIL - 90 * 86_400_000)
    expect(Math.max(...times)).toBeLessThan(UNTIL)
  })
})
