import * as fc from 'fast-check'
import type { Clock } from '@millrace/ports'
import { describe, expect, it } from 'vitest'
import { createLimits, spend } from './limits.ts'

const setUp = (bucketsMax?: number) => {
  const time = { at: 1_000_000 }
  const clock: Clock = { now: () => time.at, after: () => () => {} }
  return { time, limits: createLimits(clock, bucketsMax) }
}

describe('the limit of a key', () => {
  it('lets one second of events through at once, and then as many as time gives', () => {
    const { time, limits } = setUp()
    expect([limits.waitMs('k', 150, 200), limits.waitMs('k', 50, 200), limits.waitMs('k', 20, 200)]).toEqual([0, 0, 100])
    time.at += 99
    expect(limits.waitMs('k', 20, 200)).toBe(1)
    time.at += 1
    expect([limits.waitMs('k', 20, 200), limits.waitMs('k', 1, 200)]).toEqual([0, 5])
  })

  it('lets a batch of 100 through, however small the limit', () => {
    const { time, limits } = setUp()
    expect([limits.waitMs('k', 100, 1), limits.waitMs('k', 1, 1)]).toEqual([0, 1000])
    time.at += 99_999
    expect(limits.waitMs('k', 100, 1)).toBe(1)
  })

  it('lets a batch that is larger than the whole through when it is full, and has it paid for', () => {
    const { time, limits } = setUp()
    expect(limits.waitMs('k', 20_000, 1_000)).toBe(0)
    time.at += 19_000
    expect(limits.waitMs('k', 1, 1_000)).toBe(1)
    time.at += 1
    expect(limits.waitMs('k', 1, 1_000)).toBe(0)
  })

  it('is each key\'s own, and follows a change of the limit', () => {
    const { limits } = setUp()
    expect([limits.waitMs('a', 100, 1), limits.waitMs('b', 100, 1), limits.waitMs('a', 10, 1), limits.waitMs('a', 10, 1_000)]).toEqual([0, 0, 10_000, 10])
  })

  it('keeps nobody out longer when the clock was set back', () => {
    const { time, limits } = setUp()
    limits.waitMs('k', 100, 100)
    time.at -= 3_600_000
    expect(limits.waitMs('k', 100, 100)).toBe(1000)
    time.at += 1000
    expect(limits.waitMs('k', 100, 100)).toBe(0)
  })

  it('holds no more buckets than its bound, and forgets the one that was used longest ago', () => {
    const { limits } = setUp(2)
    limits.waitMs('a', 100, 1)
    limits.waitMs('b', 100, 1)
    expect([limits.waitMs('b', 1, 1), limits.waitMs('a', 1, 1)]).toEqual([1000, 1000])
    limits.waitMs('c', 100, 1)
    expect([limits.waitMs('a', 1, 1), limits.waitMs('b', 1, 1)]).toEqual([1000, 0])
  })

  it('never lets more through than the burst and what time gives, whatever comes when', () => {
    const steps = fc.array(fc.record({ after: fc.integer({ min: -1000, max: 3000 }), events: fc.integer({ min: 1, max: 150 }) }), { maxLength: 60 })
    fc.assert(fc.property(fc.integer({ min: 1, max: 500 }), steps, (perSecond, sent) => {
      let [now, taken, gained] = [0, 0, 0]
      let bucket: Parameters<typeof spend>[0]
      for (const { after, events } of sent) {
        now += after
        gained += Math.max(0, after)
        const answer = spend(bucket, events, perSecond, now)
        bucket = answer.bucket
        if (answer.waitMs === 0) taken += events
        // The last batch may be larger than the burst.
        expect(taken).toBeLessThanOrEqual(Math.max(perSecond, 100) + (gained / 1000) * perSecond + 150)
        // Waiting as long as was said is enough.
        if (answer.waitMs > 0) expect(spend(bucket, events, perSecond, now + answer.waitMs).waitMs).toBe(0)
      }
    }), { seed: 11, numRuns: 500 })
  })
})
