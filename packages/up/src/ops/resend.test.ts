import { describe, expect, it } from 'vitest'
import { countEqual, eventsOf, type RejectedRow, wanted } from './resend.ts'

const row = (event: unknown, change: Partial<RejectedRow> = {}): RejectedRow => ({
  receivedAt: '2026-03-01T10:00:00.000Z', code: 'TYPE_UNKNOWN', detail: 'no such type', source: 'web', protocol: 'segment', messageId: null,
  bytes: Buffer.from(typeof event === 'string' ? event : JSON.stringify(event)).toString('base64'), ...change,
})
const sent = (of: RejectedRow, nth = 0): unknown[] => (eventsOf(of, nth) as { texts: string[] }).texts.map((text) => JSON.parse(text) as unknown)

describe('a refused event that is sent again', () => {
  it('keeps its message id, its time and all else', () => {
    const event = { type: 'track', messageId: 'm', timestamp: '2026-02-01T00:00:00Z', properties: { a: [1, null] } }
    expect(sent(row(event))).toEqual([event])
  })

  it('without an id gets one of its bytes and its moment, the same each time, and the time at which it came', () => {
    const [first] = sent(row({ type: 'track' })) as [{ messageId: string; timestamp: string }]
    expect(first).toMatchObject({ type: 'track', timestamp: '2026-03-01T10:00:00.000Z', messageId: expect.stringMatching(/^replay-[0-9a-f]{32}$/) })
    expect(sent(row({ type: 'track' }))).toEqual([first])
    expect(sent(row({ type: 'track' }), 1)).not.toEqual([first])
    expect(sent(row({ type: 'track' }, { receivedAt: '2026-03-01T10:00:00.001Z' }))).not.toEqual([first])
    // Refused again it is kept as it was sent: the next run sends that very event, not one more.
    expect(sent(row(first, { receivedAt: '2026-03-02T00:00:00.000Z' }))).toEqual([first])
  })

  it('keeps numbers as they were written', () => {
    const text = ' {"type":"track","messageId":"m","timestamp":"t","properties":{"n":12345678901234567890.10}} '
    expect(eventsOf(row(text), 0)).toEqual({ texts: [text] })
    expect(sent(row('{}'))).toEqual([{ messageId: expect.any(String), timestamp: '2026-03-01T10:00:00.000Z' }])
  })

  it('of a body that was refused as a whole is each event of it', () => {
    expect(sent(row({ batch: [{ messageId: 'a', timestamp: 't' }, { messageId: 'b', timestamp: 't' }], context: { app: 1, os: 1 } }))).toMatchObject([{ messageId: 'a', context: { app: 1, os: 1 } }, { messageId: 'b' }])
  })

  it.each([
    ['cut', row({ type: 'track' }, { detail: 'too large (the first 20 of 100 bytes are kept)' })],
    ['unreadable', row('{"type":')],
    ['unreadable', row('[1]')],
    ['unreadable', row('')],
    ['unreadable', row({ batch: [1] })],
    ['unreadable', row('', { bytes: Buffer.from([0x22, 0xff, 0x22]).toString('base64') })],
  ])('is not sent when it is %s', (fault, of) => {
    expect(eventsOf(of, 0)).toEqual({ fault })
  })
})

it('takes rows by reason, source and time of receipt, the end not included', () => {
  const filter = { code: 'A', source: 'web', fromMs: 100, toMs: 200 }
  const at = (ms: number, change: Partial<RejectedRow> = {}) => wanted(filter, row({}, { code: 'A', receivedAt: new Date(ms).toISOString(), ...change }))
  expect([at(99), at(100), at(199), at(200)]).toEqual(['too-old', 'yes', 'yes', 'no'])
  expect([at(150, { code: 'B' }), at(150, { source: 'app' })]).toEqual(['no', 'no'])
})

it('tells equal rows of one moment apart', () => {
  const nthOf = countEqual()
  const later = row({}, { receivedAt: '2026-03-01T10:00:00.001Z' })
  expect([later, later, row({}), row({ a: 1 }), row({})].map(nthOf)).toEqual([0, 1, 0, 0, 1])
})
