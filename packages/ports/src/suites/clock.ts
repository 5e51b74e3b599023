import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '../clock.ts'
import { eventually } from './consumers.ts'

export interface ClockFixture {
  readonly clock: Clock
  /** Lets at least `ms` of the clock's own time pass. */
  pass(ms: number): Promise<void>
  dispose(): Promise<void>
}

/** What every clock promises. */
export const clockSuite = (name: string, make: () => Promise<ClockFixture>): void => {
  describe(`clock: ${name}`, () => {
    let fixture: ClockFixture
    beforeEach(async () => {
      fixture = await make()
    })
    afterEach(() => fixture.dispose())

    it('tells whole milliseconds that never go back', async () => {
      const before = fixture.clock.now()
      await fixture.pass(20)
      const after = fixture.clock.now()
      expect(Number.isInteger(before)).toBe(true)
      expect(after).toBeGreaterThanOrEqual(before + 19)
    })

    it('calls back once when the time has passed, in order, and not before', async () => {
      const { clock } = fixture
      const calls: string[] = []
      const start = clock.now()
      clock.after(60, () => calls.push(`late ${clock.now() >= start + 59}`))
      clock.after(20, () => calls.push(`early ${clock.now() >= start + 19}`))
      expect(calls).toEqual([])
      await fixture.pass(100)
      await eventually(() => calls.length === 2)
      await fixture.pass(100)
      expect(calls).toEqual(['early true', 'late true'])
    })

    it('does not call back when it was cancelled', async () => {
      const calls: string[] = []
      const cancel = fixture.clock.after(10, () => calls.push('cancelled'))
      fixture.clock.after(20, () => calls.push('kept'))
      cancel()
      cancel()
      await fixture.pass(50)
      await eventually(() => calls.includes('kept'))
      expect(calls).toEqual(['kept'])
    })
  })
}
