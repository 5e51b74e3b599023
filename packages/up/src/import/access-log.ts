import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { isbot } from 'isbot'

/** Common log format, and combined format with referrer and agent behind it; a quote inside a quoted field is written `\"`. */
const QUOTED = String.raw`"((?:[^"\\]|\\.)*)"`
const LINE = new RegExp(String.raw`^(\S+) (\S+) (.+?) \[([^\]]+)\] ${QUOTED} (\d{3}) (\d+|-)(?: ${QUOTED} ${QUOTED})?\s*$`)
const TIME = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)$/
const REQUEST = /^([A-Z][A-Z_-]*) (\S+)(?: (HTTP\/[\d.]+))?$/
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** What stands where there is nothing. */
const NONE = '-'
const NO_USER = new Set([NONE, '""'])

export const isAccessLogLine = (text: string): boolean => LINE.test(text)

/**
 * The event that a line of an access log of Apache (or nginx) tells, in Segment's shape: `page` where a page was shown, else a
 * track `Request`. The person is the authenticated user, else address and agent together. A text says why the line tells none.
 * Formats: https://httpd.apache.org/docs/2.4/mod/mod_log_config.html
 */
export const eventOfAccessLogLine = (text: string): Record<string, unknown> | string => {
  const fields = LINE.exec(text)
  if (!fields) return 'the line is not in the common or combined log format; was it cut off?'
  const [, address = '', ident = NONE, user = NONE, time = '', request = '', status = '', bytes = '', referrer = NONE, agent = NONE] = fields
  const timestamp = timestampOf(time)
  if (timestamp === null) return `[${time}] is no time like 17/May/2015:10:05:03 +0000`
  return eventOf({ address, ident, user, timestamp, request: unescaped(request), status: Number(status), bytes, referrer: said(referrer), agent: said(agent) })
}

interface Hit {
  readonly address: string
  readonly ident: string
  readonly user: string
  readonly timestamp: string
  readonly request: string
  readonly status: number
  readonly bytes: string
  readonly referrer: string
  readonly agent: string
}

const eventOf = (hit: Hit): Record<string, unknown> => {
  const { address, timestamp, request, status, referrer, agent } = hit
  const [, method, target = '', protocol] = REQUEST.exec(request) ?? []
  const [path = '', query = ''] = halves(target, '?')
  const bot = agent !== '' && isbot(agent)
  return {
    ...(isPageShown(method, path, status) ? { type: 'page' } : { type: 'track', event: 'Request' }),
    // Before a user is let in (401), the name is only what somebody typed.
    ...(!NO_USER.has(hit.user) && status !== 401 ? { userId: unescaped(hit.user) } : {}),
    anonymousId: visitorOf(address, agent),
    timestamp,
    channel: 'web',
    properties: {
      ...(method === undefined ? { request } : { method, path, ...(query ? { query } : {}), ...(protocol ? { protocol } : {}) }),
      status,
      // The format writes 0 bytes as nothing.
      bytes: hit.bytes === NONE ? 0 : Number(hit.bytes),
      ...(bot ? { bot } : {}),
      ...(hit.ident === NONE ? {} : { ident: hit.ident }),
    },
    context: {
      library: { name: 'access-log' },
      ...(isIP(address) ? { ip: address } : {}),
      ...(agent ? { userAgent: agent } : {}),
      ...(bot ? { bot } : {}),
      ...(method === undefined ? {} : { page: { path, ...(query ? { search: `?${query}` } : {}), ...(referrer ? { referrer } : {}) } }),
      ...campaignOf(query),
    },
  }
}

/** A page is what a person reads: asked for by GET, given (or still in the browser's memory), and no image, style, script, feed or download. */
const isPageShown = (method: string | undefined, path: string, status: number): boolean =>
  method === 'GET' && ((status >= 200 && status < 300) || status === 304) && !isFile(path)

const PAGE_ENDINGS = new Set(['html', 'htm', 'xhtml', 'shtml', 'php', 'asp', 'aspx', 'jsp', 'md'])

/** By the ending of its name; `/v1.2` has none. */
const isFile = (path: string): boolean => {
  const ending = /\.([a-z0-9]{1,12})$/i.exec(path)?.[1]?.toLowerCase()
  return ending !== undefined && /[a-z]/.test(ending) && !PAGE_ENDINGS.has(ending)
}

const visitorOf = (address: string, agent: string): string => `visitor-${createHash('sha256').update(`${address}\n${agent}`).digest('hex').slice(0, 16)}`

/** The day is checked, so that 31 February is no other day. */
const timestampOf = (text: string): string | null => {
  const [, day, monthName = '', year, time, hours, minutes] = TIME.exec(text) ?? []
  const month = String(MONTHS.indexOf(monthName) + 1).padStart(2, '0')
  const local = `${year}-${month}-${day}T${time}`
  const read = new Date(`${local}Z`)
  return Number.isNaN(read.getTime()) || read.toISOString() !== `${local}.000Z` ? null : `${local}${hours}:${minutes}`
}

const said = (text: string): string => (text === NONE ? '' : unescaped(text))

const LETTERS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v' }

/** Apache writes `\"`, `\\`, `\n` and bytes that do not print as `\xhh`; the bytes together are UTF-8. */
const unescaped = (text: string): string =>
  text.includes('\\') ? text.replace(/((?:\\x[0-9a-f]{2})+)|\\(.)/gi, (_, bytes: string | undefined, letter: string) => (bytes === undefined ? (LETTERS[letter] ?? letter) : Buffer.from(bytes.replaceAll(/\\x/gi, ''), 'hex').toString('utf8'))) : text

const CAMPAIGN = { utm_source: 'source', utm_medium: 'medium', utm_campaign: 'name', utm_term: 'term', utm_content: 'content' } as const

const campaignOf = (query: string): Record<string, unknown> => {
  if (!query.includes('utm_')) return {}
  const given = new URLSearchParams(query)
  const parts = Object.entries(CAMPAIGN).flatMap(([name, field]) => (given.get(name) ? [[field, given.get(name)]] : []))
  return parts.length > 0 ? { campaign: Object.fromEntries(parts) } : {}
}

const halves = (text: string, between: string): readonly [string, string] => {
  const at = text.indexOf(between)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}
