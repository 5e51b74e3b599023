import { type Fields, given, scalarText, textOf } from '../fields.ts'
import { hashedId } from './hashed-id.ts'
import { matomoAction } from './matomo-action.ts'
import { pageContext, UTM } from './page-address.ts'
import { besides, type FieldTable, merged, placed } from './place.ts'
import type { ProtocolReader } from './read-line.ts'
import { screenContext } from './screen-size.ts'

/** Older and newer names of campaign parameters in a page's address. */
const IN_ADDRESS: FieldTable = [
  ...['mtm', 'matomo', 'pk', 'piwik'].flatMap((mark): FieldTable => [
    [`${mark}_campaign`, 'campaign.name'], [`${mark}_kwd`, 'campaign.term'], [`${mark}_keyword`, 'campaign.term'],
    [`${mark}_source`, 'campaign.source'], [`${mark}_medium`, 'campaign.medium'], [`${mark}_content`, 'campaign.content'], [`${mark}_cid`, 'campaign.id'],
  ]),
  ...UTM,
]
const CONTEXT: FieldTable = [
  ['_rcn', 'campaign.name'], ['_rck', 'campaign.term'], ['ua', 'userAgent'], ['cip', 'ip'],
  ['country', 'location.country'], ['region', 'location.region'], ['city', 'location.city'], ['lat', 'location.latitude'], ['long', 'location.longitude'],
]
/** Not of the event but of its transport, or read into other fields. */
const NOT_PROPERTIES: ReadonlySet<string> = new Set([
  'idsite', 'rec', 'apiv', 'rand', 'r', 'send_image', 'token_auth', 'queuedtracking', 'bots', '_id', 'cid', 'uid', 'cdt', 'cdo', 'cip', 'ua',
  'messageId', 'anonymousId', 'peer',
])

/** A line holds the parameters of one tracking request, as texts. */
export const readMatomo: ProtocolReader = (raw) => {
  const { type, event, properties } = matomoAction(raw)
  const isUnpaid = given(raw['idgoal']) !== undefined && properties['revenue'] === undefined
  return {
    type,
    ...(event === undefined ? {} : { event }),
    userId: given(raw['uid']),
    anonymousId: given(raw['cid']) ?? given(raw['_id']),
    messageId: messageIdOf(raw),
    timestamp: given(raw['cdt']),
    properties: { ...properties, ...besides(raw, isUnpaid ? WITHOUT_REVENUE : NOT_PROPERTIES) },
    context: contextOf(raw),
  }
}

/** `revenue` of a cart or a goal is no charge: it stands in another property. */
const WITHOUT_REVENUE: ReadonlySet<string> = new Set([...NOT_PROPERTIES, 'revenue'])

/** An order counts once by its id. Else a request is told from others only where it holds chance or its time. */
const messageIdOf = (raw: Fields): string | undefined => {
  const order = given(raw['ec_id'])
  if (scalarText(raw['idgoal']) === '0' && order !== undefined) return hashedId('order', order)
  const tells = ['rand', 'r', 'cdt'].some((name) => given(raw[name]) !== undefined) || (given(raw['pv_id']) !== undefined && given(raw['s']) !== undefined)
  return tells ? hashedId(Object.entries(besides(raw, ADDED)).sort(([a], [b]) => (a < b ? -1 : 1))) : undefined
}

const ADDED: ReadonlySet<string> = new Set(['messageId', 'anonymousId', 'peer'])

const contextOf = (raw: Fields): Fields => {
  const page = pageContext({ url: raw['url'], title: raw['action_name'], referrer: raw['urlref'] }, IN_ADDRESS)
  return { ...merged(placed(raw, CONTEXT), page), ...screenContext(raw['res']), ...localeOf(raw['lang']) }
}

/** As a browser's Accept-Language: the first is meant. */
const localeOf = (value: unknown): Fields => {
  const locale = textOf(value)?.split(/[,;]/, 1)[0]?.trim()
  return locale ? { locale } : {}
}
