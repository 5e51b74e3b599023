import { describe, expect, it } from 'vitest'
import { filedKeyOf } from './filed-key.ts'
import { isNobody } from './keys.ts'

const project = { id: 1, identity: { types: [], blockedValues: ['kiosk'], keysPerPersonMax: 1, mergedPersonsMax: 1, usersPerDeviceMax: 1 } }
const key = (userId: unknown, anonymousId: unknown, messageId = 'm1') => filedKeyOf(project, { userId, anonymousId, messageId })

describe('filedKeyOf', () => {
  it('is the user id, else the anonymous id, blocked values taken out first', () => {
    expect(key('u1', 'a1')).toBe('user_id:u1')
    expect(key(null, 'a1')).toBe('anonymous_id:a1')
    expect(key('null', ' a1 ')).toBe('anonymous_id:a1')
    expect(key('KIOSK', 'a1')).toBe('anonymous_id:a1')
    expect(key(7, undefined)).toBe('user_id:7')
  })
  it('is nobody by the message id where nothing is left', () => {
    expect(isNobody(key('', null))).toBe(true)
    expect(key('', null)).toBe(key('guest', '0'))
    expect(new Set(Array.from({ length: 500 }, (_, n) => key('', '', `m${n}`))).size).toBe(64)
  })
  it('does not depend on the form in which an id is written', () => {
    expect(key('cafe\u0301', null)).toBe(key(' café\u0000', null))
    expect(key('x'.repeat(300), 'a1')).toBe('anonymous_id:a1')
    expect(key(2 ** 60, 'a1')).toBe('anonymous_id:a1')
  })
})
