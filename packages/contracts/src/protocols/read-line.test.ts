import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEvent, type Fields, isFields, isRefusal, PROTOCOL_NAMES, type ProtocolName, readLine } from '../index.ts'

const origin = { source: 's', receivedAt: Date.parse('2024-06-01T12:00:00Z'), sentAt: null }
const project = { id: 1, currency: 'EUR', identity: { types: [], blockedValues: [], keysPerPersonMax: 1000, mergedPersonsMax: 10, usersPerDeviceMax: 50 } }

/** A line that is taken, and names at which a reader looks: chance alone would find what is not there. */
const LINES: Readonly<Record<ProtocolName, { readonly line: Fields; readonly names: readonly string[] }>> = {
  segment: { line: { type: 'track', event: 'Seen', userId: 'u1' }, names: ['type', 'traits', 'traitOps', 'properties', 'context', 'groupId', 'previousId'] },
  rudderstack: { line: { type: 'page', userId: 'u1' }, names: ['type', 'context', 'properties', 'page', 'referrer'] },
  jitsu: { line: { type: 'track', event: 'Seen', anonymousId: 'a1' }, names: ['context', 'library', 'env', 'channel'] },
  sensors: {
    line: { type: 'track', event: 'Seen', distinct_id: 'u1' },
    names: ['type', 'event', 'login_id', 'anonymous_id', 'original_id', 'identities', 'lib', 'properties', 'time', '_flush_time', 'item_id', '$is_login_id'],
  },
  posthog: {
    line: { event: 'Seen', distinct_id: 'u1' },
    names: ['event', 'properties', '$set', '$set_once', '$unset', 'options', 'uuid', 'session_id', '$groups', '$group_set', '$group_key', '$device_id', 'alias', '$time', 'offset'],
  },
  mixpanel: {
    line: { event: 'Seen' },
    names: ['event', 'properties', '$distinct_id', '$set', '$set_once', '$add', '$append', '$union', '$remove', '$unset', '$delete', '$group_key', '$group_id', '$ip', 'distinct_id', '$distinct_ids'],
  },
  amplitude: {
    line: { event_type: 'Seen', user_id: 'u1' },
    names: ['event_type', 'device_id', 'event_properties', 'user_properties', 'group_properties', 'groups', 'platform', 'library', 'price', 'quantity', 'revenue', 'ip', 'session_id', '$append', '$prepend'],
  },
  ga4: { line: { client_id: '1.2', events: [{ name: 'Seen' }] }, names: ['events', 'user_id', 'user_properties', 'params', 'name', 'value', 'timestamp_micros', 'user_location', 'page_location'] },
  matomo: { line: { _id: 'a1' }, names: ['idgoal', 'ec_id', 'ec_items', 'revenue', 'e_c', 'e_a', 'e_v', 'search', 'url', 'lang', 'res', 'cdt', 'cip', 'uid'] },
  umami: { line: { type: 'event', anonymousId: 'a1' }, names: ['type', 'payload', 'name', 'data', 'url', 'screen', 'id', 'timestamp'] },
  openpanel: { line: { type: 'track', payload: { name: 'Seen' }, anonymousId: 'a1' }, names: ['type', 'payload', 'name', 'properties', 'groups', 'groupIds', 'property', 'value', 'profileId', '__path', '__revenue'] },
  plausible: { line: { n: 'Seen', anonymousId: 'a1' }, names: ['n', 'u', 'r', 'p', '$', 'v', 'w', 'amount', 'props'] },
  snowplow: { line: { e: 'pv', duid: 'a1' }, names: ['e', 'ue_pr', 'ue_px', 'co', 'cx', 'url', 'tv', 'res', 'uid', 'dtm', 'ttm', 'se_ac', 'se_va', 'tr_tt'] },
  countly: {
    line: { device_id: 'a1', begin_session: '1' },
    names: ['event', 'key', 'segmentation', 'user_details', 'custom', 'old_device_id', 't', 'timestamp', 'metrics', '_resolution', 'crash', 'session_duration', 'sdk_name', '$inc', '$push'],
  },
}
const VALUES: readonly unknown[] = [
  null, '', '0', '{}', '[]', 'e30', '[[null]]', 'u1', '1700000000000', 'https://x/?a=%zz&utm_source=y', 5, -1, 1e300, true, { a: [1] }, { $set: { a: 1 }, $append: { a: [1] }, $prepend: { a: 2 } },
  'track', 'identify', 'group', 'assign_group', 'increment', 'track_signup', 'profile_set', 'profile_unset', 'item_set', 'track_id_unbind', '$identify', '$create_alias', '$groupidentify', '$merge', 'purchase', 'refund', 'ue', 'tr', '[CLY]_view',
  // Texts are made of values everywhere: none may call what a sender wrote.
  { toString: 1 }, [{ toString: 1 }], { toJSON: 1, valueOf: null },
]

const fieldsOver = (names: readonly string[]): fc.Arbitrary<Fields> =>
  fc.letrec((tie) => ({
    value: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...VALUES) }, fc.string(), tie('fields'), fc.array(tie('value'), { maxLength: 3 })),
    fields: fc.dictionary(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...names, '__proto__', 'constructor') }, fc.string()), tie('value'), { maxKeys: 6 }),
  })).fields as fc.Arbitrary<Fields>

describe('readLine', () => {
  it.each(PROTOCOL_NAMES)('never throws at a line of %s, and reads the same line alike each time', (protocol) => {
    const { line, names } = LINES[protocol]
    let decoded = 0
    fc.assert(fc.property(fieldsOver(names), (fields) => {
      const text = JSON.stringify({ ...line, ...fields })
      const event = decodeEvent({ ...origin, protocol }, project, JSON.parse(text))
      expect(decodeEvent({ ...origin, protocol }, project, JSON.parse(text))).toEqual(event)
      // What ingest adds at the end of a line changes nothing of its id.
      const spliced = readLine(protocol, { ...(JSON.parse(text) as Fields), peer: { ip: '203.0.113.9' } })
      const plain = readLine(protocol, JSON.parse(text))
      expect(isFields(spliced) && spliced['messageId']).toEqual(isFields(plain) && plain['messageId'])
      if (isRefusal(event)) return
      decoded++
      expect(Number.isFinite(event.timestamp)).toBe(true)
    }), { seed: 11, numRuns: 1500 })
    expect(decoded).toBeGreaterThan(100)
  })
})
