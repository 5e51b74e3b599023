import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { moneyOf, revenueOf } from './revenue.ts'

describe('moneyOf', () => {
  it('keeps four digits, half to even, as plain decimal text', () => {
    const cases = [[12.5, '12.5'], ['12.50', '12.5'], [0.1 + 0.2, '0.3'], ['0.00005', '0'], ['0.00015', '0.0002'], ['0.00025', '0.0002'], ['0.000250001', '0.0003'],
      ['-0.00015', '-0.0002'], [1e-7, '0'], [1e13, '10000000000000'], ['1e3', '1000'], [' +5. ', '5'], ['.5', '0.5'], [-0, '0'], ['-0.00001', '0']] as const
    for (const [value, money] of cases) expect([value, moneyOf(value)]).toEqual([value, money])
  })
  it('is null for what is no amount', () => {
    for (const value of ['', '.', '1,234', '$5', '5 EUR', 'free', Number.NaN, Number.POSITIVE_INFINITY, 1e14, '1e999', true, null, undefined, {}, [], '0x10', '9'.repeat(500)]) {
      expect([value, moneyOf(value)]).toEqual([value, null])
    }
  })
  it('is what it was when read again', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, min: -1e13, max: 1e13 }), (value) => {
      const money = moneyOf(value)
      expect(moneyOf(money)).toBe(money)
      expect(Math.abs(Number(money) - value)).toBeLessThanOrEqual(0.000051 + Math.abs(value) * 1e-12)
    }), { seed: 5 })
  })
})

describe('revenueOf', () => {
  it('takes revenue, else total, else value of an order', () => {
    expect(revenueOf('Order Completed', { revenue: '10', total: 12, value: 1 })).toBe('10')
    expect(revenueOf('Order Completed', { revenue: 'free', total: 12 })).toBe('12')
    expect(revenueOf('Order Completed', { value: 3 })).toBe('3')
    expect(revenueOf('Order Completed', {})).toBeNull()
  })
  it('makes a refund negative whatever its sign', () => {
    expect(revenueOf('Order Refunded', { total: 30 })).toBe('-30')
    expect(revenueOf('Order Refunded', { revenue: -30 })).toBe('-30')
  })
  it('takes only revenue of other events, and none of steps on the way to an order', () => {
    expect(revenueOf('Subscription Renewed', { revenue: 9.99, total: 5 })).toBe('9.99')
    expect(revenueOf('Product Viewed', { total: 5, value: 5 })).toBeNull()
    expect(revenueOf('Checkout Started', { revenue: 15 })).toBeNull()
  })
})
