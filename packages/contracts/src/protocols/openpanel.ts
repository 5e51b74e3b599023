import { type Fields, fieldsOf, given, scalarNumber, scalarText } from '../fields.ts'
import { pageContext } from './page-address.ts'
import { besides, type FieldTable, merged, placed } from './place.ts'
import type { ProtocolReader } from './read-line.ts'

/** Said by the SDK beside the properties of an event; of a profile they are no traits. */
const CONTEXT: FieldTable = [['__ip', 'ip'], ['__userAgent', 'userAgent']]
const NOT_TRAITS: ReadonlySet<string> = new Set(['__path', '__title', '__referrer', '__timestamp', '__deviceId', ...CONTEXT.map(([name]) => name)])
const PERSON: FieldTable = ['firstName', 'lastName', 'email', 'avatar'].map((name) => [name, name])

/** A line is the body as it was sent, `{type, payload}`, with the visitor that ingest knows. */
export const readOpenpanel: ProtocolReader = (raw) => {
  const payload = fieldsOf(raw['payload'])
  const properties = fieldsOf(payload['properties'])
  const read = READERS.get(raw['type'])
  if (!read) return { type: `openpanel:${scalarText(raw['type'])}` }
  return {
    userId: given(payload['profileId']),
    anonymousId: given(properties['__deviceId']),
    timestamp: given(properties['__timestamp']),
    context: contextOf(properties),
    ...read(payload, properties),
  }
}

type Reader = (payload: Fields, properties: Fields) => Fields

const track: Reader = (payload, properties) => {
  const context = { ...contextOf(properties), ...groupsOf(payload['groups']) }
  const whole = { ...placed(properties, [['__revenue', 'revenue']]), ...properties }
  return payload['name'] === 'screen_view' ? { type: 'page', properties: whole, context } : { type: 'track', event: payload['name'], properties: whole, context }
}

const identify: Reader = (payload, properties) => ({ type: 'identify', traits: { ...besides(properties, NOT_TRAITS), ...placed(payload, PERSON) } })

const added = (sign: 1 | -1): Reader => ({ property, value }) => {
  const amount = scalarNumber(value ?? 1)
  return { type: 'identify', traitOps: { add: typeof property === 'string' && Number.isFinite(amount) ? { [property]: sign * amount } : {} } }
}

const alias: Reader = (payload) => ({ type: 'alias', previousId: given(payload['alias']) })

/** Tells of the group alone: no person did it. */
const group: Reader = (payload, properties) => ({
  type: 'group', userId: '', anonymousId: '', groupId: payload['id'], traits: { ...properties, ...placed(payload, [['name', 'name'], ['type', 'type']]) },
  context: { ...contextOf(properties), ...placed(payload, [['type', 'groupType']]) },
})

/** One line a group. */
const assignGroup: Reader = ({ groupIds }) => ({ type: 'group', groupId: Array.isArray(groupIds) ? (groupIds as readonly unknown[])[0] : undefined })

const READERS: ReadonlyMap<unknown, Reader> = new Map([
  ['track', track], ['identify', identify], ['increment', added(1)], ['decrement', added(-1)], ['alias', alias], ['group', group], ['assign_group', assignGroup],
])

/** All groups of an event, and the group where there is exactly one. */
const groupsOf = (groups: unknown): Fields =>
  Array.isArray(groups) && groups.length > 0 ? { groups, ...(groups.length === 1 ? { groupId: (groups as readonly unknown[])[0] } : {}) } : {}

const contextOf = (properties: Fields): Fields =>
  merged(placed(properties, CONTEXT), pageContext({ url: properties['__path'], title: properties['__title'], referrer: properties['__referrer'] }))
