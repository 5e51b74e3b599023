import { isRefusal, KEYS_OF_SOURCE_MAX, projectRecord, type ProjectRecord, SOURCES_MAX, sourceSettings, sourcesOf } from '@millrace/contracts'
import { describe, expect, it } from 'vitest'
import { type Changed, withoutKey, withRotatedKey, withSettings, withSource, withWriteKey } from './source-changes.ts'

const NOW = 1_000_000
const web = sourceSettings.parse({ name: 'web' })
const done = (changed: Changed): ProjectRecord => {
  if (isRefusal(changed)) throw new Error(changed.code)
  return changed
}
const codeOf = (changed: Changed): string | null => (isRefusal(changed) ? changed.code : null)
const empty = projectRecord.parse({ id: 1, name: 'Shop', zone: 'UTC', currency: 'EUR', writeKeys: [], apiKeys: [], identity: {} })
const shop = done(withWriteKey(empty, 'default', 'first', 1))
const keysOf = (record: ProjectRecord, source: string) => record.writeKeys.filter((key) => key.source === source)

describe('sources', () => {
  it('have names of their own, and a bound', () => {
    const one = done(withSource(shop, web, 'k', NOW))
    expect(codeOf(withSource(one, web, 'k2', NOW))).toBe('SOURCE_EXISTS')
    expect(codeOf(withSource(shop, { ...web, name: 'default' }, 'k2', NOW))).toBe('SOURCE_EXISTS')
    let full = shop
    for (let at = 1; at < SOURCES_MAX; at++) full = done(withSource(full, { ...web, name: `s${at}` }, `key ${at}`, NOW))
    expect(codeOf(withSource(full, web, 'one more', NOW))).toBe('SOURCE_BOUND')
  })

  it('change in what is said, also where nothing was said before', () => {
    const changed = done(withSettings(shop, 'default', { eventsPerSecondMax: 7 }))
    const again = done(withSettings(changed, 'default', { server: true }))
    expect(sourcesOf(again)).toEqual([{ name: 'default', allowedOrigins: [], eventsPerSecondMax: 7, server: true }])
    expect(codeOf(withSettings(shop, 'web', {}))).toBe('SOURCE_NOT_FOUND')
  })
})

describe('keys', () => {
  it('that are rotated work until the grace is over, and never longer than before', () => {
    const once = done(withRotatedKey(shop, 'default', 'second', NOW, NOW + 100))
    expect(keysOf(once, 'default').map(({ expiresAt }) => expiresAt)).toEqual([NOW + 100, undefined])
    const twice = done(withRotatedKey(once, 'default', 'third', NOW + 50, NOW + 500))
    expect(keysOf(twice, 'default').map(({ expiresAt }) => expiresAt)).toEqual([NOW + 100, NOW + 500, undefined])
    expect(codeOf(withRotatedKey(shop, 'web', 'x', NOW, NOW))).toBe('SOURCE_NOT_FOUND')
  })

  it('of other sources stay as they are', () => {
    const two = done(withSource(shop, web, 'k', NOW))
    const rotated = done(withRotatedKey(two, 'web', 'k2', NOW, NOW + 100))
    expect(keysOf(rotated, 'default')).toEqual(keysOf(shop, 'default'))
    const id = keysOf(rotated, 'web')[0]!.id
    expect(codeOf(withoutKey(rotated, 'default', id, NOW))).toBe('KEY_NOT_FOUND')
  })

  it('that are revoked keep the moment, and do not come back when they are given again', () => {
    const { id } = shop.writeKeys[0]!
    const revoked = done(withoutKey(done(withoutKey(shop, 'default', id, NOW)), 'default', id, NOW + 9))
    expect(revoked.writeKeys).toMatchObject([{ id, revokedAt: NOW }])
    expect(done(withWriteKey(revoked, 'default', 'first', NOW + 9)).writeKeys).toEqual(revoked.writeKeys)
  })

  it('have a bound of working ones; dead ones make room, the oldest first', () => {
    let full = shop
    for (let at = 1; at < KEYS_OF_SOURCE_MAX; at++) full = done(withWriteKey(full, 'default', `key ${at}`, at))
    expect(codeOf(withWriteKey(full, 'default', 'one more', NOW))).toBe('KEY_BOUND')
    const [, second, third] = keysOf(full, 'default')
    const revoked = done(withoutKey(done(withoutKey(full, 'default', third!.id, NOW)), 'default', second!.id, NOW))
    const more = done(withWriteKey(revoked, 'default', 'one more', NOW))
    expect(more.writeKeys).toHaveLength(KEYS_OF_SOURCE_MAX)
    expect(more.writeKeys.map(({ id }) => id)).not.toContain(second!.id)
    expect(more.writeKeys.map(({ id }) => id)).toContain(third!.id)
  })

  it('shown at each start are of the first source, and follow its rotation; others are kept as hashes alone', () => {
    expect(shop.shownWriteKey).toBe('first')
    expect(done(withRotatedKey(shop, 'default', 'second', NOW, NOW + 100)).shownWriteKey).toBe('second')
    const two = done(withSource(shop, web, 'web key', NOW))
    const rotated = done(withRotatedKey(two, 'web', 'web key 2', NOW, NOW))
    expect(rotated.shownWriteKey).toBe('first')
    expect(JSON.stringify(rotated)).not.toContain('web key')
    expect(done(withWriteKey(two, 'default', 'another', NOW)).shownWriteKey).toBe('first')
    const revoked = done(withoutKey(shop, 'default', shop.writeKeys[0]!.id, NOW))
    expect(done(withWriteKey(revoked, 'default', 'another', NOW)).shownWriteKey).toBe('another')
  })
})
