import { describe, expect, it } from 'vitest'
import { createRecentReads } from './recent-reads.ts'

const key = (name: string): Buffer => Buffer.from(name)
const found = (bytes: number) => ({ document: bytes, endsAt: 0, bytes })

describe('the memory of documents', () => {
  it('is bounded by their bytes, and lets the one go that was used longest ago', () => {
    const cache = createRecentReads(10, 100)
    cache.keep(key('a'), found(40))
    cache.keep(key('b'), found(40))
    cache.get(key('a'))
    cache.keep(key('c'), found(40))
    expect(['a', 'b', 'c'].map((name) => cache.get(key(name))?.bytes)).toEqual([40, undefined, 40])
    cache.drop(key('a'))
    cache.keep(key('d'), found(60))
    expect(['c', 'd'].map((name) => cache.get(key(name))?.bytes)).toEqual([40, 60])
    cache.keep(key('c'), found(10))
    cache.keep(key('e'), found(30))
    expect(['c', 'd', 'e'].map((name) => cache.get(key(name))?.bytes)).toEqual([10, 60, 30])
  })

  it('does not keep a document over the bound, and is bounded by their number', () => {
    const cache = createRecentReads(2, 100)
    expect(cache.keep(key('large'), found(101))?.bytes).toBe(101)
    expect(cache.get(key('large'))).toBeUndefined()
    for (const name of ['a', 'b', 'c']) cache.keep(key(name), found(1))
    expect(cache.get(key('a'))).toBeUndefined()
  })
})
