import { describe, expect, it } from 'vitest'
import { canonicalZone, spelledZone } from './zone-name.ts'

describe('names of zones', () => {
  it('knows newer names and other capitals, and says under which name all parts know the zone', () => {
    expect(['Asia/Kolkata', 'Europe/Kyiv', 'utc', 'Etc/UTC', 'asia/shanghai', 'Australia/Lord_Howe'].map(canonicalZone))
      .toEqual(['Asia/Calcutta', 'Europe/Kiev', 'UTC', 'UTC', 'Asia/Shanghai', 'Australia/Lord_Howe'])
  })

  it('knows no names that are none', () => {
    expect(['', 'Mars/Phobos', 'UTC ', '+08:00', '../etc/passwd', 'x'.repeat(100)].map(canonicalZone)).toEqual([null, null, null, null, null, null])
  })

  it('leaves a name as it was written but for its capitals', () => {
    expect(['utc', 'asia/shanghai', 'Asia/Kolkata', 'UTC'].map(spelledZone)).toEqual(['UTC', 'Asia/Shanghai', 'Asia/Kolkata', 'UTC'])
  })
})
