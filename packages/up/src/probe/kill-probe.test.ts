import { expect, it } from 'vitest'
import { killProbe } from './kill-probe.ts'

it('ends the process at the nth passing of its point, and at no other', () => {
  const killed: number[] = []
  const probe = killProbe('step.before-commit:fold:3+20', (afterMs) => killed.push(afterMs))
  for (let passing = 1; passing <= 5; passing++) {
    probe('log.append.before-commit')
    probe('step.before-commit:fold')
    expect(killed).toEqual(passing < 3 ? [] : [20])
  }
  expect(() => killProbe('nowhere', () => {})).toThrow('POINT:NTH')
})
