import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEvent, type Fields, isFields, isRefusal, PROTOCOL_NAMES, readLine } from '../index.ts'

const origin = { source: 's', receivedAt: Date.parse('2024-06-01T12:00:00Z'), sentAt: null }
const project = { id: 1, currency: 'EUR', identity: { types: [], blockedValues: [], keysPerPersonMax: 1000, mergedPersonsMax: 10, usersPerDeviceMax: 50 } }

/** Names that readers look at, so that chance finds more than what is not there. */
const NAMES = [
  'type', 'event', 'events', 'properties', 'distinct_id', 'login_id', 'identities', 'lib', 'time', 'user_details', 'old_device_id', 'device_id', 't', 'timestamp', 'metrics', 'segmentation',
  'custom', 'key', 'e', 'ue_px', 'ue_pr', 'co', 'cx', 'url', 'tv', 'res', 'duid', 'uid', 'begin_session', 'crash', 'item_id', 'user_properties', 'payload', 'name', 'traits', '$set', 'params',
]
const VALUES = ['track', 'track_signup', 'profile_set', 'profile_unset', 'item_set', 'track_id_unbind', 'ue', 'pv', 'tr', 'u1', '{}', '[]', 'e30', '1700000000000', '0', 'https://x/?a=%zz&utm_source=y']

const line = fc.letrec((tie) => ({
  value: fc.oneof(fc.constantFrom<unknown>(...VALUES, null, 0, 1, true, -1, 1e300), fc.string(), tie('fields'), fc.array(tie('value'), { maxLength: 3 })),
  fields: fc.dictionary(fc.oneof(fc.constantFrom(...NAMES), fc.string()), tie('value'), { maxKeys: 8 }),
})).fields as fc.Arbitrary<Fields>

describe('readers of lines', () => {
  it.each(PROTOCOL_NAMES)('of %s never throw, and read the same line alike each time', (protocol) => {
    fc.assert(fc.property(line, (raw) => {
      const text = JSON.stringify(raw)
      const event = decodeEvent({ ...origin, protocol }, project, JSON.parse(text))
      expect(decodeEvent({ ...origin, protocol }, project, JSON.parse(text))).toEqual(event)
      // What ingest adds at the end of a line changes nothing of its id.
      const spliced = readLine(protocol, { ...(JSON.parse(text) as Fields), peer: { ip: '203.0.113.9' } })
      const plain = readLine(protocol, JSON.parse(text))
      expect(isFields(spliced) && spliced['messageId']).toEqual(isFields(plain) && plain['messageId'])
      if (!isRefusal(event)) expect(Number.isFinite(event.timestamp)).toBe(true)
    }), { seed: 11, numRuns: 1500 })
  })
})
