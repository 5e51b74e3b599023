import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEvent } from '../decode.ts'
import { isRefusal } from '../errors.ts'
import type { ProtocolName } from './protocol-name.ts'

const origin = { source: 'web', receivedAt: Date.parse('2024-06-01T12:00:00Z'), sentAt: null }
const identity = { types: [], blockedValues: [], keysPerPersonMax: 1000, mergedPersonsMax: 10, usersPerDeviceMax: 50 }
const project = { id: 1, currency: 'EUR', identity }

/** The names that a protocol's reader looks at. */
const NAMES: Readonly<Partial<Record<ProtocolName, { readonly event: string; readonly events: readonly string[]; readonly names: readonly string[] }>>> = {
  posthog: {
    event: 'event', events: ['$pageview', '$identify', '$create_alias', '$groupidentify', 'Seen'],
    names: ['distinct_id', 'properties', '$set', '$set_once', '$unset', 'options', 'uuid', 'session_id', '$groups', '$group_set', '$device_id', 'alias'],
  },
  mixpanel: {
    event: 'event', events: ['$mp_web_page_view', '$identify', '$merge', 'Seen'],
    names: ['properties', '$distinct_id', '$set', '$set_once', '$add', '$append', '$union', '$remove', '$unset', '$delete', '$group_key', '$group_id', '$ip', 'distinct_id'],
  },
  amplitude: {
    event: 'event_type', events: ['[Amplitude] Page Viewed', '$identify', '$groupidentify', 'Seen'],
    names: ['user_id', 'device_id', 'event_properties', 'user_properties', 'group_properties', 'groups', 'platform', 'library', 'price', 'quantity', 'revenue', 'ip', 'session_id'],
  },
}

describe('readLine', () => {
  it.each(Object.entries(NAMES))('never throws at a line of %s, and gives the same event each time', (protocol, { event, events, names }) => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('u1', 'a1', 5, '', null, { toString: 1 }, { $set: { a: 1 }, $append: { a: [1] }, $prepend: { a: 2 } }))
    const fields = fc.dictionary(fc.constantFrom(...names, '__proto__', 'constructor'), fc.oneof({ weight: 3, arbitrary: value }, fc.dictionary(fc.constantFrom(...names), value)))
    let decoded = 0
    fc.assert(fc.property(fields, fc.constantFrom(...events), (line, name) => {
      const text = JSON.stringify({ [event]: name, distinct_id: 'u1', user_id: 'u1', ...line })
      const first = decodeEvent({ ...origin, protocol }, project, JSON.parse(text))
      if (!isRefusal(first)) decoded++
      expect(decodeEvent({ ...origin, protocol }, project, JSON.parse(text))).toEqual(first)
    }), { seed: 7, numRuns: 2000 })
    expect(decoded).toBeGreaterThan(100)
  })
})
