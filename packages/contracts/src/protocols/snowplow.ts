import { type Fields, fieldsOf, given, isFields, textOf } from '../fields.ts'
import { type FieldTable, merged, placed } from './place.ts'
import type { ProtocolReader } from './read-line.ts'
import { screenContext } from './screen-size.ts'
import { eventOf, type SelfDescribing, selfDescribing } from './snowplow-event.ts'

const CONTEXT: FieldTable = [
  ['url', 'page.url'], ['page', 'page.title'], ['refr', 'page.referrer'], ['ua', 'userAgent'], ['ip', 'ip'], ['lang', 'locale'], ['tz', 'timezone'], ['sid', 'sessionId'],
  ['mkt_source', 'campaign.source'], ['mkt_medium', 'campaign.medium'], ['mkt_campaign', 'campaign.name'], ['mkt_term', 'campaign.term'], ['mkt_content', 'campaign.content'],
]
/** What the address of the page says; Snowplow itself reads campaigns there. */
const ADDRESS: FieldTable = [
  ['path', 'page.path'], ['utm_source', 'campaign.source'], ['utm_medium', 'campaign.medium'], ['utm_campaign', 'campaign.name'], ['utm_term', 'campaign.term'], ['utm_content', 'campaign.content'],
]
/** What has a place of its own in the event. */
const READ: ReadonlySet<string> = new Set([
  ...CONTEXT.map(([name]) => name), 'e', 'eid', 'dtm', 'stm', 'ttm', 'uid', 'duid', 'tv', 'res', 'ue_pr', 'ue_px', 'co', 'cx', 'aid', 'peer', 'messageId', 'anonymousId',
])
const READ_PREFIX = /^(?:se|tr|ti|pp)_/
const CHANNELS: ReadonlyMap<unknown, string> = new Map([['web', 'web'], ['mob', 'mobile'], ['srv', 'server']])

/** One event of a Snowplow tracker, by the names of its tracker protocol. */
export const readSnowplow: ProtocolReader = (raw) => {
  const entities = entitiesOf(raw)
  const session = fieldsOf(entities.find(({ schema }) => schema.includes('/client_session/'))?.data)
  const written = given(raw['ttm'])
  return {
    messageId: raw['eid'],
    ...eventOf(raw, entities),
    ...personOf(raw, session),
    // The true time is the caller's own word; the device's is set right by the time of sending.
    ...(written === undefined ? { timestamp: raw['dtm'] } : { timestamp: written, originalTimestamp: given(raw['dtm']) ?? written }),
    sentAt: raw['stm'],
    channel: CHANNELS.get(raw['p']),
    context: contextOf(raw, entities, session),
  }
}

/** A page before its visitor agreed, or a server that was told nobody, sends no id: such an event is kept, and is nobody's. */
const personOf = (raw: Fields, session: Fields): Fields => {
  const userId = given(raw['uid'])
  const anonymousId = given(raw['duid']) ?? given(raw['tnuid']) ?? given(raw['nuid']) ?? given(session['userId'])
  return userId === undefined && anonymousId === undefined ? { userId: '' } : { userId, anonymousId }
}

const contextOf = (raw: Fields, entities: readonly SelfDescribing[], session: Fields): Fields => {
  const rest = Object.fromEntries(Object.entries(raw).filter(([name]) => !READ.has(name) && !READ_PREFIX.test(name)))
  const own = placed(raw, CONTEXT)
  return {
    ...merged(own, placed({ ...queryOf(raw['url']), path: pathOf(raw['url']) }, ADDRESS)),
    ...placed({ sid: own['sessionId'] ?? session['sessionId'] }, [['sid', 'sessionId']]),
    ...libraryOf(raw['tv']), ...screenContext(raw['res']),
    ...(entities.length > 0 ? { entities } : {}),
    ...(Object.keys(rest).length > 0 ? { snowplow: rest } : {}),
  }
}

const entitiesOf = (raw: Fields): readonly SelfDescribing[] => {
  const list = selfDescribing(raw['co'], raw['cx'])?.data
  return Array.isArray(list) ? list.filter((entity): entity is SelfDescribing => isFields(entity) && typeof entity['schema'] === 'string') : []
}

const queryOf = (url: unknown): Fields => {
  const mark = typeof url === 'string' ? url.indexOf('?') : -1
  return mark < 0 ? {} : Object.fromEntries(new URLSearchParams((url as string).slice(mark + 1).split('#')[0]))
}

const pathOf = (url: unknown): unknown => (typeof url === 'string' ? /^[a-z]+:\/\/[^/?#]+(\/[^?#]*)/i.exec(url)?.[1] : undefined)

const TRACKER = /^(.+?)-(\d.*)$/

const libraryOf = (tracker: unknown): Fields => {
  const text = textOf(tracker)
  const [, name = text, version] = (text === undefined ? null : TRACKER.exec(text)) ?? []
  return name === undefined ? {} : { library: { name, ...(version === undefined ? {} : { version }) } }
}
