import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSenderClocks } from '../src/domain/sender-clocks.ts'

const AT = Date.parse('2024-06-01T12:00:00Z')
const HOUR = 3_600_000
const sending = (receivedAt: number, offset: number, sender = 'd1', times: readonly number[] = [receivedAt - offset]) =>
  ({ sender, sentAt: receivedAt - offset, receivedAt, times: () => times })

describe('the clocks of senders', () => {
  it('leaves a clock alone that is right to a minute', () => {
    const clocks = createSenderClocks(10)
    expect([0, 59_999, -59_999, 500].map((offset, n) => clocks.skewOf(sending(AT + n * 1000, offset)))).toEqual([0, 0, 0, 0])
  })

  it('corrects a clock that is behind or ahead', () => {
    const clocks = createSenderClocks(10)
    expect(clocks.skewOf(sending(AT, HOUR, 'behind'))).toBe(HOUR)
    expect(clocks.skewOf(sending(AT, -HOUR, 'ahead'))).toBe(-HOUR)
  })

  it('takes the wait of a body that was sent again for a wait, once it knows the sender', () => {
    const clocks = createSenderClocks(10)
    clocks.skewOf(sending(AT, 40))
    // Ten minutes in a queue, with the time of the first try.
    expect(clocks.skewOf(sending(AT + 600_000, 600_000))).toBe(0)
    // The same of a clock that is an hour behind.
    clocks.skewOf(sending(AT, HOUR + 40, 'd2'))
    expect(clocks.skewOf(sending(AT + 600_000, HOUR + 600_000, 'd2'))).toBe(HOUR + 40)
  })

  it('takes the least of many messages for the error of a clock', () => {
    const clocks = createSenderClocks(10)
    const waits = [900, 300, 40, 700, 60]
    const skews = waits.map((wait, n) => clocks.skewOf(sending(AT + n * 60_000, HOUR + wait)))
    expect(skews.map((skew) => skew - HOUR)).toEqual([900, 300, 40, 40, 40])
  })

  it('forgets what was learnt an hour ago, since clocks are set', () => {
    const clocks = createSenderClocks(10)
    clocks.skewOf(sending(AT, 40))
    expect(clocks.skewOf(sending(AT + 2 * HOUR, HOUR))).toBe(HOUR)
  })

  it('never turns two events of a sender round, whatever it learns between them', () => {
    fc.assert(fc.property(fc.array(fc.record({ gap: fc.integer({ min: 0, max: 300_000 }), wait: fc.integer({ min: 0, max: 400_000 }) }), { minLength: 2, maxLength: 30 }), fc.constantFrom(-HOUR, 0, 90_000, HOUR), (sendings, error) => {
      const clocks = createSenderClocks(10)
      let happened = AT
      let last = -Infinity
      for (const { gap, wait } of sendings) {
        happened += gap
        // Sent at once by a clock that is wrong, received after a wait.
        const corrected = happened - error + clocks.skewOf({ sender: 'd', sentAt: happened - error, receivedAt: happened + wait, times: () => [happened - error] })
        expect(corrected).toBeGreaterThanOrEqual(last)
        last = corrected
      }
    }), { seed: 20_262, numRuns: 500 })
  })

  it('keeps no more senders than its bound, and forgets the one that was silent longest', () => {
    const clocks = createSenderClocks(2)
    clocks.skewOf(sending(AT, 40, 'd1'))
    clocks.skewOf(sending(AT, 40, 'd2'))
    clocks.skewOf(sending(AT, 40, 'd1'))
    clocks.skewOf(sending(AT, 40, 'd3'))
    expect(clocks.skewOf(sending(AT + 600_000, 600_000, 'd1'))).toBe(0)
    expect(clocks.skewOf(sending(AT + 600_000, 600_000, 'd2'))).toBe(600_000)
  })
})
