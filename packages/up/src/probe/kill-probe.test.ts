import { expect, it } from 'vitest'
import { killProbe } from './kill-probe.ts'

it('ends the process at the nth passing of its point, and at no other', () => {
  let killed = 0
  const probe = killProbe('step.before-commit:fold:3', () => killed++)
  for (let passing = 1; passing <= 5; passing++) {
    probe('log.append.before-commit')
    probe('step.before-commit:fold')
    expect(killed).toBe(passing < 3 ? 0 : 1)
  }
  expect(() => killProbe('nowhere', () => {})).toThrow('POINT:NTH')
})
