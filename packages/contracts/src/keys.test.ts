import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { homeKeyOf, personIdOf } from './keys.ts'

describe('the id of a person', () => {
  it('is the UUID of version 5 of its canonical key, and never changes', () => {
    expect(personIdOf(1, 'user_id:u1')).toBe('b62b594b-5866-5b20-a189-0a6fbd594c70')
    for (let at = 0; at < 500; at++) {
      const key = `anonymous_id:é中${String.fromCodePoint(0x1f600 + at)}-${at}`
      expect(personIdOf(at, key)).toBe(expected(at, key))
    }
  })
})

describe('the home of a pair of keys', () => {
  it('is that of the user key, of two the smaller, else the anonymous one', () => {
    expect(homeKeyOf('user_id:b', 'user_id:a')).toBe('user_id:a')
    expect(homeKeyOf('anonymous_id:a', 'user_id:z')).toBe('user_id:z')
    expect(homeKeyOf('email:a', 'anonymous_id:z')).toBe('anonymous_id:z')
    expect(homeKeyOf('mobile:1', 'email:2')).toBe('email:2')
  })
})

const NAMESPACE = Buffer.from('6f0c1c9e0d6b5d8e9d3a4a0c5b7e2f11', 'hex')

const expected = (project: number, key: string): string => {
  const bytes = createHash('sha1').update(NAMESPACE).update(`${project}/${key}`).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x50
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
