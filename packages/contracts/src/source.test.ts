import { describe, expect, it } from 'vitest'
import { project, projectRecord } from './project.ts'
import { isKeyLive, originOf, settingsOf, sourceSettings, sourcesOf } from './source.ts'

const OLD = { id: 1, name: 'Shop', zone: 'UTC', currency: 'EUR', writeKeys: [{ hash: 'ab'.repeat(32), source: 'default' }], apiKeys: [], identity: {} }

describe('a project as an older version kept it', () => {
  it('has ids for its keys and defaults for its sources, the same after each reading', () => {
    const read = projectRecord.parse(OLD)
    expect(read.writeKeys).toEqual([{ id: 'abababababab', hash: 'ab'.repeat(32), source: 'default' }])
    expect(sourcesOf(read)).toEqual([{ name: 'default', allowedOrigins: [], eventsPerSecondMax: null, server: false }])
    expect(projectRecord.parse(JSON.parse(JSON.stringify(read)))).toEqual(read)
    expect(isKeyLive(read.writeKeys[0]!, 0)).toBe(true)
  })
})

describe('settings of a source', () => {
  it('are found by name, and sources with keys alone are told with defaults', () => {
    const shop = project.parse({ ...OLD, sources: [{ name: 'web', eventsPerSecondMax: 5 }] })
    expect(sourcesOf(shop).map(({ name, eventsPerSecondMax }) => [name, eventsPerSecondMax])).toEqual([['web', 5], ['default', null]])
    expect(settingsOf(shop, 'web')).toMatchObject({ eventsPerSecondMax: 5, server: false })
  })

  it('take names of small letters, digits, - and _ only', () => {
    const ok = (name: string): boolean => sourceSettings.safeParse({ name }).success
    expect(['web', '1st-shop_2', 'a'.repeat(64)].map(ok)).toEqual([true, true, true])
    expect(['', 'Web', '-web', 'a'.repeat(65), 'we b', '网'].map(ok)).toEqual(Array.from({ length: 6 }, () => false))
  })
})

describe('a key', () => {
  it('works until the moment at which it expires, and not once it was revoked', () => {
    expect([isKeyLive({ expiresAt: 10 }, 9), isKeyLive({ expiresAt: 10 }, 10), isKeyLive({ revokedAt: 10 }, 5)]).toEqual([true, false, false])
  })
})

describe('an allowed origin', () => {
  it('is kept as browsers write it', () => {
    const written = ['https://Shop.Example/', 'https://shop.example:443', 'http://localhost:3000', 'https://*.Shop.example', 'https://茶.example', 'capacitor://localhost']
    expect(written.map(originOf)).toEqual(['https://shop.example', 'https://shop.example', 'http://localhost:3000', 'https://*.shop.example', 'https://xn--cl1a.example', 'capacitor://localhost'])
  })

  it('has a scheme and a host and nothing else', () => {
    const wrong = ['', '*', 'shop.example', 'https://', 'https://shop.example/path', 'https://user@shop.example', 'https://a.*.example', 'https://shop.example?x=1', 'https://*.*.example', 'null', 'file:///x']
    expect(wrong.map(originOf)).toEqual(wrong.map(() => null))
    expect(sourceSettings.safeParse({ name: 'web', allowedOrigins: ['https://shop.example/path'] }).success).toBe(false)
    expect(sourceSettings.parse({ name: 'web', allowedOrigins: ['HTTPS://Shop.example'] }).allowedOrigins).toEqual(['https://shop.example'])
  })
})
