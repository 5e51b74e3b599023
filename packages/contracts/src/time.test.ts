import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseTime } from './time.ts'

const iso = (value: unknown) => {
  const time = parseTime(value)
  return time === null ? null : new Date(time).toISOString()
}

describe('parseTime', () => {
  it('reads what senders write', () => {
    const same = '2024-02-29T04:05:06.000Z'
    for (const value of ['2024-02-29T04:05:06Z', '2024-02-29 04:05:06', '2024-02-29T12:05:06+08:00', '2024-02-29T04:05:06+0000', '2024-02-28T23:05:06-05',
      1709179506, 1709179506000, 1709179506000000, '1709179506', '1709179506000', 1709179506.0004]) expect([value, iso(value)]).toEqual([value, same])
    expect(iso('2024-02-29T04:05:06.123456789Z')).toBe('2024-02-29T04:05:06.123Z')
    expect(iso('2024-02-29T04:05:06.5Z')).toBe('2024-02-29T04:05:06.500Z')
    expect(iso('2024-02-29')).toBe('2024-02-29T00:00:00.000Z')
    expect(iso(1709179506.123)).toBe('2024-02-29T04:05:06.123Z')
  })
  it('takes no day that the calendar lacks, and no nonsense', () => {
    for (const value of ['2023-02-29', '2024-04-31T00:00:00Z', '2024-13-01', '2024-00-10', '2024-01-00', '2024-01-01T24:00:00Z', 'now', '', {}, [], true, null,
      Number.NaN, Number.POSITIVE_INFINITY, 1e18, '2024-1-1', '12024-01-01']) expect([value, parseTime(value)]).toEqual([value, null])
  })
  it('agrees with the platform on every ISO time', () => {
    fc.assert(fc.property(fc.date({ min: new Date('1000-01-01'), max: new Date('9999-01-01'), noInvalidDate: true }), (date) => {
      expect(parseTime(date.toISOString())).toBe(date.getTime())
    }), { seed: 3 })
  })
})
