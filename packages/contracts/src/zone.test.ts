import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createZone } from './zone.ts'

const ZONES = ['UTC', 'Asia/Shanghai', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia', 'Asia/Kathmandu', 'America/Sao_Paulo']
const CASES_PER_ZONE = 400

describe('the day of an instant', () => {
  it('is what the platform says, in zones with odd offsets, late midnights and a day that was left out', () => {
    for (const name of ZONES) {
      const zone = createZone(name)
      const format = new Intl.DateTimeFormat('en-CA', { timeZone: name, year: 'numeric', month: '2-digit', day: '2-digit' })
      const at = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2030, 0) })
      fc.assert(
        fc.property(at, (instant) => {
          expect(zone.day(instant)).toBe(format.format(instant))
          expect(zone.dayNumber(instant)).toBe(Date.parse(`${format.format(instant)}T00:00:00Z`) / 86_400_000)
        }),
        { numRuns: CASES_PER_ZONE, seed: 3 },
      )
    }
    process.stdout.write(`zones: ${CASES_PER_ZONE} instants in each of ${ZONES.length} zones\n`)
  })

  it('refuses a zone that does not exist', () => {
    expect(() => createZone('Mars/Olympus')).toThrow(RangeError)
  })
})
