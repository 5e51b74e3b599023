import { parseTime } from '@millrace/contracts'
import { describe, expect, it } from 'vitest'
import { eventOfAccessLogLine, isAccessLogLine } from './access-log.ts'

type Event = Readonly<Record<string, unknown>>
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'

const line = ({ address = '203.0.113.7', user = '-', time = '17/May/2015:10:05:03 +0200', request = 'GET / HTTP/1.1', status = 200, bytes = '5', referrer = '-', agent = FIREFOX } = {}): string =>
  `${address} - ${user} [${time}] "${request}" ${status} ${bytes} "${referrer}" "${agent}"`
const eventOf = (text: string): Event => {
  const read = eventOfAccessLogLine(text)
  if (typeof read === 'string') throw new Error(read)
  return read
}

describe('a line of an access log', () => {
  it('is a page with path, query, referrer, campaign, address and agent', () => {
    const text = line({ request: 'GET /blog/?a=1&utm_source=news&utm_medium=email HTTP/1.1', bytes: '203023', referrer: 'https://search.example/' })
    expect(eventOf(text)).toEqual({
      type: 'page',
      anonymousId: expect.stringMatching(/^visitor-[0-9a-f]{16}$/),
      timestamp: '2015-05-17T10:05:03+02:00',
      channel: 'web',
      properties: { method: 'GET', path: '/blog/', query: 'a=1&utm_source=news&utm_medium=email', protocol: 'HTTP/1.1', status: 200, bytes: 203023 },
      context: {
        library: { name: 'access-log' },
        ip: '203.0.113.7',
        userAgent: FIREFOX,
        page: { path: '/blog/', search: '?a=1&utm_source=news&utm_medium=email', referrer: 'https://search.example/' },
        campaign: { source: 'news', medium: 'email' },
      },
    })
    expect(parseTime(eventOf(text)['timestamp'])).toBe(Date.UTC(2015, 4, 17, 8, 5, 3))
  })

  it('is a page only where a person was shown one, else a Request', () => {
    const typeOf = (request: string, status = 200): unknown => eventOf(line({ request: `${request} HTTP/1.1`, status }))['type']
    const pages = ['GET /', 'GET /blog/?flav=rss20', 'GET /a.html', 'GET /a.PHP?x=1', 'GET /docs/v1.2', 'GET /name.of.nobody.anywhere-else']
    expect(pages.map((request) => typeOf(request))).toEqual(pages.map(() => 'page'))
    expect(typeOf('GET /', 304)).toBe('page')
    const others = ['GET /favicon.ico', 'GET /style.css?v=2', 'GET /a.PNG', 'GET /robots.txt', 'GET /feed.xml', 'HEAD /', 'POST /', 'OPTIONS *']
    expect(others.map((request) => typeOf(request))).toEqual(others.map(() => 'track'))
    expect([301, 404, 416, 500].map((status) => typeOf('GET /', status))).toEqual(['track', 'track', 'track', 'track'])
    expect(eventOf(line({ request: 'HEAD / HTTP/1.1' }))['event']).toBe('Request')
  })

  it('belongs to address and agent together, and to the user who was let in', () => {
    const visitor = (given: Parameters<typeof line>[0]): unknown => eventOf(line(given))['anonymousId']
    expect(visitor({ request: 'GET /a HTTP/1.0' })).toBe(visitor({ time: '18/May/2015:00:00:00 +0000' }))
    expect(visitor({ address: '203.0.113.8' })).not.toBe(visitor({}))
    expect(visitor({ agent: 'curl/8' })).not.toBe(visitor({}))
    expect(eventOf(line({ user: 'ann smith' }))['userId']).toBe('ann smith')
    expect(eventOf(line({ user: 'ann', status: 401 }))).not.toHaveProperty('userId')
    expect(eventOf(line({ user: '""' }))).not.toHaveProperty('userId')
  })

  it('marks robots and keeps them', () => {
    const robot = eventOf(line({ agent: 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' }))
    expect(robot).toMatchObject({ type: 'page', properties: { bot: true }, context: { bot: true } })
    expect(eventOf(line())['properties']).not.toHaveProperty('bot')
  })

  it('is read with escaped quotes, bytes of UTF-8, IPv6, and nothing where nothing is', () => {
    const text = line({ address: '2001:db8::1', request: String.raw`GET /\xe8\x8c\xb6 HTTP/2.0`, bytes: '-', agent: String.raw`say \"hi\" \\o/` })
    expect(eventOf(text)).toMatchObject({ properties: { path: '/茶', bytes: 0 }, context: { ip: '2001:db8::1', userAgent: 'say "hi" \\o/' } })
    const bare = eventOf(line({ address: 'host.example', agent: '-' }))
    expect(bare['context']).toEqual({ library: { name: 'access-log' }, page: { path: '/' } })
  })

  it('is read in the common format, without referrer and agent', () => {
    const event = eventOf('127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326')
    expect(event).toMatchObject({ type: 'track', userId: 'frank', timestamp: '2000-10-10T13:55:36-07:00', properties: { bytes: 2326 } })
    expect(event['context']).not.toHaveProperty('userAgent')
  })

  it('keeps a request that is none by its text', () => {
    expect(eventOf(line({ request: String.raw`\x16\x03\x01`, status: 400 }))).toMatchObject({ type: 'track', properties: { request: '\x16\x03\x01', status: 400 } })
    expect(eventOf(line({ request: '-', status: 408 }))['properties']).toEqual({ request: '-', status: 408, bytes: 5 })
  })

  it('is refused where it is cut off or has no such time', () => {
    expect(eventOfAccessLogLine(line().slice(0, -1))).toContain('cut off')
    expect(eventOfAccessLogLine(line({ time: '31/Feb/2015:10:05:03 +0000' }))).toContain('31/Feb/2015')
    expect(eventOfAccessLogLine(line({ time: '17/Mai/2015:10:05:03 +0000' }))).toContain('no time')
    expect(['event,user_id', '{"type":"track"}', ''].map(isAccessLogLine)).toEqual([false, false, false])
  })
})
