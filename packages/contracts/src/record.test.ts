import { describe, expect, it } from 'vitest'
import { decodeHeader, decodeRecord, encodeRecord, RecordError, type RecordHeader } from './record.ts'

const header: RecordHeader = {
  kind: 'events',
  project: 1,
  count: 2,
  origins: [{ source: 'web', protocol: 'segment', receivedAt: 5, sentAt: null }],
}

describe('record version 1', () => {
  it('gives back the header and the lines as they were, short or compressed', () => {
    for (const size of [1, 100, 50_000]) {
      const lines = [JSON.stringify({ a: 'x'.repeat(size), b: '中文' }), '{}']
      const value = encodeRecord(header, lines)
      expect(decodeHeader(value)).toEqual(header)
      expect(decodeRecord(value).lines().map(String)).toEqual(lines)
    }
  })

  it('keeps a pretty-printed event on one line with the same meaning', () => {
    const event = JSON.stringify({ a: [1, { b: 'two\nlines' }] }, null, 2)
    const [line, ...rest] = decodeRecord(encodeRecord(header, [event])).lines()
    expect(rest).toEqual([])
    expect(JSON.parse(String(line))).toEqual(JSON.parse(event))
  })

  it('refuses a version that it does not know', () => {
    const value = encodeRecord(header, ['{}'])
    value[0] = 2
    expect(() => decodeRecord(value)).toThrow('record version 2')
  })

  it('reads what builds before this one have written, in both codecs', () => {
    const golden = {
      plain: 'AQAAAAB2eyJraW5kIjoiZXZlbnRzIiwicHJvamVjdCI6MSwiY291bnQiOjIsIm9yaWdpbnMiOlt7InNvdXJjZSI6IndlYiIsInByb3RvY29sIjoic2VnbWVudCIsInJlY2VpdmVkQXQiOjUsInNlbnRBdCI6bnVsbH1dfXsiYSI6MX0KeyJiIjoi5LitIn0K',
      packed: 'AQEAAAB2eyJraW5kIjoiZXZlbnRzIiwicHJvamVjdCI6MSwiY291bnQiOjIsIm9yaWdpbnMiOlt7InNvdXJjZSI6IndlYiIsInByb3RvY29sIjoic2VnbWVudCIsInJlY2VpdmVkQXQiOjUsInNlbnRBdCI6bnVsbH1dfW0CAAB/eyJhIjoieAEA//9G8AAifQp7ImIiOiLkuK0ifQo=',
    }
    expect(Buffer.from(golden.plain, 'base64')[1]).toBe(0)
    expect(Buffer.from(golden.packed, 'base64')[1]).toBe(1)
    for (const text of Object.values(golden)) expect(decodeRecord(Buffer.from(text, 'base64')).header).toEqual(header)
    expect(decodeRecord(Buffer.from(golden.plain, 'base64')).lines().map(String)).toEqual(['{"a":1}', '{"b":"中"}'])
    expect(decodeRecord(Buffer.from(golden.packed, 'base64')).lines().map(String)).toEqual([JSON.stringify({ a: 'x'.repeat(600) }), '{"b":"中"}'])
  })

  it('refuses what other software has written, so that no consumer stands on half a header', () => {
    const [origin] = header.origins
    const broken: readonly unknown[] = [
      null, [], 'text', {}, { ...header, origins: null }, { ...header, origins: [null] }, { ...header, project: -1 }, { ...header, project: 70_000 },
      { ...header, count: 1.5 }, { ...header, kind: 1 }, { ...header, origins: [{ ...origin, receivedAt: 1e20 }] }, { ...header, origins: [{ ...origin, sentAt: 'now' }] },
    ]
    for (const one of broken) expect(() => decodeHeader(encodeRecord(one as RecordHeader, ['{}'])), JSON.stringify(one)).toThrow(RecordError)
    for (const bytes of ['', 'short', 'these bytes are no record', '\x01\x00\x00\x00\x00\x09not JSON!']) expect(() => decodeHeader(Buffer.from(bytes, 'latin1')), bytes).toThrow(RecordError)
    const packed = encodeRecord(header, ['x'.repeat(5_000)])
    packed.fill(0xff, packed.length - 10)
    expect(() => decodeRecord(packed).lines()).toThrow(RecordError)
  })
})
