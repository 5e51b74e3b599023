import { describe, expect, it } from 'vitest'
import { EVENTS, measureSegmentation, PEOPLE } from './measure.ts'

describe('the cost of segmentation', () => {
  it('grows with the rules that an event touches and stays in microseconds', async () => {
    await measureSegmentation(1)
    const figures: Record<string, number> = {}
    for (const rules of [0, 1, 20]) figures[`${rules} rules`] = (await measureSegmentation(rules)).usPerEvent
    process.stdout.write(`segmentation, CPU µs an event (${EVENTS} events, ${PEOPLE} people, without the store): ${JSON.stringify(figures)}\n`)
    expect(figures['20 rules']).toBeLessThan(2_000)
  })
})
