import { type Fields, fieldsOf, given, isFields, scalarText, textOf } from '../fields.ts'
import { pageContext } from './page-address.ts'
import { besides, type FieldTable, merged, placed } from './place.ts'
import type { ProtocolReader } from './read-line.ts'
import { screenContext } from './screen-size.ts'

const CONTEXT: FieldTable = [
  ['hostname', 'page.hostname'], ['language', 'locale'], ['userAgent', 'userAgent'], ['ip', 'ip'], ['browser', 'browser.name'], ['os', 'os.name'],
  ['device', 'device.type'],
]
const NOT_CONTEXT: ReadonlySet<string> = new Set([
  'website', 'name', 'data', 'id', 'timestamp', 'url', 'title', 'referrer', 'screen', ...CONTEXT.map(([name]) => name),
])

/** A line is the body as it was sent, with the visitor and the visit that ingest knows. */
export const readUmami: ProtocolReader = (raw) => {
  const payload = fieldsOf(raw['payload'])
  return {
    ...actionOf(raw['type'], payload),
    userId: given(payload['id']),
    timestamp: given(payload['timestamp']),
    context: { ...contextOf(payload), ...placed(raw, [['sessionId', 'sessionId']]) },
  }
}

/** An event without a name is a page view. What is neither event nor identify is refused by its type. */
const actionOf = (type: unknown, payload: Fields): Fields => {
  const data = dataOf(payload['data'])
  if (type === 'identify') return { type, traits: data }
  if (type !== 'event') return { type: `umami:${scalarText(type)}` }
  return textOf(payload['name']) === undefined ? { type: 'page', properties: data } : { type: 'track', event: payload['name'], properties: data }
}

const contextOf = (payload: Fields): Fields => ({
  ...besides(payload, NOT_CONTEXT),
  ...merged(placed(payload, CONTEXT), pageContext({ url: payload['url'], title: payload['title'], referrer: payload['referrer'] })),
  ...screenContext(payload['screen']),
})

/** Also a list is taken. */
const dataOf = (data: unknown): Fields => (isFields(data) || given(data) === undefined ? fieldsOf(data) : { data })
