import { createZone } from '@millrace/contracts'
import { describe, expect, it } from 'vitest'
import { daysBetween, startOf, startOfDay, startsBetween, stepFrom } from './calendar.ts'

describe('calendar', () => {
  it('finds the first instant of a day, also where it is not midnight', () => {
    expect(startOfDay('UTC', '2024-01-04')).toBe(Date.UTC(2024, 0, 4))
    expect(startOfDay('Asia/Shanghai', '2024-01-04')).toBe(Date.UTC(2024, 0, 3, 16))
    expect(startOfDay('America/New_York', '2024-03-10')).toBe(Date.UTC(2024, 2, 10, 5))
    expect(startOfDay('America/New_York', '2024-03-11')).toBe(Date.UTC(2024, 2, 11, 4))
    // Clocks in Chile went from 24:00 to 01:00: the day has no midnight.
    expect(startOfDay('America/Santiago', '2023-09-03')).toBe(Date.UTC(2023, 8, 3, 4))
    expect(startOfDay('Asia/Kathmandu', '2024-01-04')).toBe(Date.UTC(2024, 0, 3, 18, 15))
  })

  it('names weeks by their Monday and months by their first day', () => {
    expect(startOf('week', '2024-01-07')).toBe('2024-01-01')
    expect(startOf('week', '2024-01-08')).toBe('2024-01-08')
    expect(startOf('month', '2024-02-29')).toBe('2024-02-01')
    expect(stepFrom('month', '2023-11-01', 3)).toBe('2024-02-01')
    expect(startsBetween('week', '2024-01-03', '2024-01-15')).toEqual(['2024-01-01', '2024-01-08', '2024-01-15'])
    expect(daysBetween('2024-02-28', '2024-03-01')).toBe(2)
    expect(createZone('Asia/Tokyo').day(Date.UTC(2024, 0, 3, 15))).toBe('2024-01-04')
  })
})
