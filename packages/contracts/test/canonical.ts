import { type CanonicalEvent, decodeEvent, isRefusal, type Origin, type ProtocolName } from '../src/index.ts'

const receivedAt = Date.parse('2024-06-01T12:00:00Z')
const identity = { types: [], blockedValues: [], keysPerPersonMax: 1000, mergedPersonsMax: 10, usersPerDeviceMax: 50 }

/** A line of a protocol, written by hand, as every consumer sees it. @throws when it is refused */
export const canonical = (protocol: ProtocolName, line: object, from: Partial<Origin> = {}): CanonicalEvent => {
  const event = decodeEvent({ source: 'web', protocol, receivedAt, sentAt: null, ...from }, { id: 1, currency: 'EUR', identity }, JSON.parse(JSON.stringify(line)))
  if (isRefusal(event)) throw new Error(event.code)
  return event
}
