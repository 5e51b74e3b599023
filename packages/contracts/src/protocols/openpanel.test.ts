import { describe, expect, it } from 'vitest'
import { canonical } from '../../test/canonical.ts'
import { readOpenpanel } from './openpanel.ts'

const read = (type: string, payload: object) => canonical('openpanel', { type, payload, anonymousId: 'v-1' })

describe('a line of OpenPanel', () => {
  it('is a page view by its name, else a track with all its properties', () => {
    expect(read('track', { name: 'screen_view', properties: { __path: 'https://shop.example/a?utm_medium=email', __title: 'A', __referrer: 'https://ref.example/' } })).toMatchObject({
      type: 'page', channel: 'email', anonymousId: 'v-1', userId: null,
      context: { page: { url: 'https://shop.example/a?utm_medium=email', path: '/a', title: 'A', referrer: 'https://ref.example/' } },
    })
    expect(read('track', { name: 'Buy', profileId: 7, groups: ['g1'], properties: { a: 1, __path: '', __timestamp: '2024-06-01T10:00:00.000Z', __x: 2 } })).toMatchObject(
      { type: 'track', event: 'Buy', userId: '7', groupId: 'g1', timestamp: Date.parse('2024-06-01T10:00:00Z'), properties: { a: 1, __x: 2 }, context: { groups: ['g1'] } })
    expect(read('track', { name: 'Buy', groups: ['g1', 'g2'] }).groupId).toBeNull()
  })

  it('counts revenue, and follows the device that its sender names', () => {
    expect(read('track', { name: 'revenue', properties: { __revenue: 12.5, __deviceId: 'v-2', currency: 'USD' } })).toMatchObject({ revenue: '12.5', currency: 'USD', anonymousId: 'v-2' })
  })

  it('identifies with names and properties as traits, but not with what the SDK says of the page', () => {
    const event = read('identify', { profileId: 'u1', firstName: 'Ada', email: 'ada@example.com', properties: { plan: 'pro', __referrer: 'https://ref.example/' } })
    expect(event).toMatchObject({ type: 'identify', userId: 'u1', anonymousId: 'v-1', context: { page: { referrer: 'https://ref.example/' } } })
    expect(event.traits).toEqual({ firstName: 'Ada', email: 'ada@example.com', plan: 'pro' })
  })

  it('adds and takes away', () => {
    expect(readOpenpanel({ type: 'increment', payload: { profileId: 'u1', property: 'visits' } })).toMatchObject({ type: 'identify', userId: 'u1', traitOps: { add: { visits: 1 } } })
    expect(readOpenpanel({ type: 'decrement', payload: { profileId: 'u1', property: 'credit', value: 3 } })).toMatchObject({ traitOps: { add: { credit: -3 } } })
  })

  it('tells of a group without a person, and puts a person into a group', () => {
    const group = read('group', { id: 'g1', type: 'company', name: 'Shop', properties: { size: 3 } })
    expect(group).toMatchObject({ type: 'group', groupId: 'g1', userId: null, anonymousId: null, traits: { name: 'Shop', type: 'company', size: 3 }, context: { groupType: 'company' } })
    expect(read('assign_group', { groupIds: ['g1'], profileId: 'u1' })).toMatchObject({ type: 'group', groupId: 'g1', userId: 'u1', traits: {} })
    expect(read('alias', { profileId: 'u1', alias: 'old' })).toMatchObject({ type: 'alias', userId: 'u1', previousId: 'old' })
  })

  it('refuses a type that is not OpenPanel’s', () => {
    for (const type of ['page', 'constructor', 'screen']) expect(() => read(type, { profileId: 'u1' })).toThrow('TYPE_UNKNOWN')
  })
})
