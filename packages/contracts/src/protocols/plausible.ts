import { type Fields, fieldsOf, given, isFields, scalarText, textOf } from '../fields.ts'
import { pageContext, UTM } from './page-address.ts'
import { besides, type FieldTable, placed } from './place.ts'
import type { ProtocolReader } from './read-line.ts'

/** Short names of the script and long ones of the API; the first that is there counts. */
const NAMES = { name: ['n', 'name'], url: ['u', 'url'], referrer: ['r', 'referrer'], props: ['p', 'props', 'm', 'meta'], revenue: ['$', 'revenue'] } as const
const NOT_PROPERTIES: ReadonlySet<string> = new Set([...Object.values(NAMES).flat(), 'd', 'domain', 'v', 'w', 'screen_width', 'messageId', 'anonymousId', 'peer'])
const SOURCES: FieldTable = [...UTM, ['ref', 'campaign.source'], ['source', 'campaign.source']]

/** A line is the body as it was sent, with the visitor that ingest knows. */
export const readPlausible: ProtocolReader = (raw) => {
  const said = (name: keyof typeof NAMES): unknown => NAMES[name].map((key) => given(raw[key])).find((value) => value !== undefined)
  const name = said('name')
  return {
    ...(name === 'pageview' ? { type: 'page' } : { type: 'track', event: name }),
    properties: { ...chargeOf(unpacked(said('revenue'))), ...besides(raw, NOT_PROPERTIES), ...unpacked(said('props')) },
    context: {
      ...pageContext({ url: said('url'), referrer: said('referrer') }, SOURCES),
      ...placed(raw, [['w', 'screen.width'], ['screen_width', 'screen.width']]),
      ...libraryOf(raw['v']),
    },
  }
}

/** Older scripts send objects as text. */
const unpacked = (value: unknown): Fields => {
  if (isFields(value)) return value
  try {
    return fieldsOf(JSON.parse(textOf(value) ?? 'null'))
  } catch {
    return {}
  }
}

const chargeOf = (revenue: Fields): Fields => placed(revenue, [['amount', 'revenue'], ['currency', 'currency']])

/** Newer scripts tell their version. */
const libraryOf = (version: unknown): Fields => (scalarText(version) === '' ? {} : { library: { name: 'plausible-web', version: scalarText(version) } })
