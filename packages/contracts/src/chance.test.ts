import { expect, it } from 'vitest'
import { chanceFrom } from './chance.ts'

it('gives the numbers of mulberry32 that every seed of a demo, a simulation and a failed test stands for', () => {
  const chance = chanceFrom(20_240_613)
  expect([chance.next(), chance.next(), chance.below(1000), chance.pick(['a', 'b', 'c']), chance.happens(0.5)]).toEqual([0.7454761646222323, 0.4580445878673345, 107, 'c', false])
})
