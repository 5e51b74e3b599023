import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HotStore } from '../hot-store.ts'
import type { StateWrite } from '../event-log.ts'

/** A hot store under test, empty at first. */
export interface HotStoreFixture {
  readonly hot: HotStore
  /** Moves the clock that the store lives by. */
  advance(ms: number): Promise<void>
  /** Closes the store and opens it again over the same data. */
  reopen(): Promise<HotStore>
  dispose(): Promise<void>
}

interface Context {
  fixture: HotStoreFixture
}

const write = (scope: string, watermark: number, changes: Partial<StateWrite> = {}): StateWrite => ({
  scope, watermark, puts: [], deletes: [], timers: [], ...changes,
})

/** What every hot store promises. */
export const hotStoreSuite = (name: string, make: () => Promise<HotStoreFixture>): void => {
  describe(`hot store: ${name}`, () => {
    const context = {} as Context
    beforeEach(async () => {
      context.fixture = await make()
    })
    afterEach(() => context.fixture.dispose())
    documents(context)
    watermarks(context)
    timers(context)
    updates(context)
  })
}

const documents = (context: Context): void => {
  it('gives documents back by key, in the order asked, undefined where there is none', async () => {
    const { hot } = context.fixture
    const document = { n: 1.5, big: 2 ** 52, text: 'ä𝄞', list: [null, true, { deep: [] }], bytes: Uint8Array.of(0, 255) }
    expect(await hot.apply(write('s', 1, { puts: [['a', document], ['b', 'plain'], ['', 0]] }))).toBe(true)
    const [b, none, a, empty] = await hot.get('s', ['b', 'none', 'a', ''])
    expect([b, none, empty]).toEqual(['plain', undefined, 0])
    expect({ ...(a as typeof document), bytes: [...(a as typeof document).bytes] }).toEqual({ ...document, bytes: [0, 255] })
  })

  it('gives back what no sender should write: a member __proto__, lone surrogates, bytes that look like them', async () => {
    const { hot } = context.fixture
    const odd = [
      '{"traits":{"__proto__":["x",1],"constructor":1}}', '{"text":"\\ufffd"}', '{"\\ud800":"\\udc00"}', '{"short":"x\\udbff"}', '{"korean":"하핳힣"}',
      `{"long":"${'x'.repeat(100)}\\ud800"}`, '["__proto__"]', '"\\udfff"', '1782000237.25',
    ].map((json) => JSON.parse(json) as unknown)
    const puts = odd.map((document, at): [string, unknown] => [String(at), document])
    await hot.apply(write('s', 1, { puts: [...puts, ['bytes', Uint8Array.of(0xef, 0xbf, 0xbd, 0xed, 0xa0, 0x80)]] }))
    const reopened = await context.fixture.reopen()
    for (const [key, document] of puts) expect(JSON.stringify((await reopened.get('s', [key]))[0])).toBe(JSON.stringify(document))
    const [bytes] = await reopened.get('s', ['bytes'])
    expect([...(bytes as Uint8Array)]).toEqual([0xef, 0xbf, 0xbd, 0xed, 0xa0, 0x80])
  })

  it('keeps scopes apart, also when one name starts with the other', async () => {
    const { hot } = context.fixture
    await hot.apply(write('s', 1, { puts: [['k', 1]], timers: [['t', 1]] }))
    await hot.apply(write('s:1', 1, { puts: [['k', 2]] }))
    expect(await hot.get('s', ['k'])).toEqual([1])
    expect(await hot.get('s:1', ['k'])).toEqual([2])
    expect(await hot.scan('s', { prefix: '', limit: 10 })).toEqual([{ key: 'k', document: 1 }])
    expect(await hot.nextTimer('s:1')).toBeNull()
  })

  it('replaces and deletes', async () => {
    const { hot } = context.fixture
    await hot.apply(write('s', 1, { puts: [['a', 1], ['b', 1]] }))
    expect(await hot.get('s', ['a', 'b'])).toEqual([1, 1])
    await hot.apply(write('s', 2, { puts: [['a', 2]], deletes: ['b', 'never'] }))
    expect(await hot.get('s', ['a', 'b'])).toEqual([2, undefined])
  })

  it('scans a prefix in order of the bytes of the keys, behind `after`, up to the limit', async () => {
    const { hot } = context.fixture
    const keys = ['p:', 'p:1', 'p:10', 'p:2', 'p:Z', 'p:a', 'p:é', 'p:\u{ffff}', 'p:\u{10000}', 'o', 'q', 'p']
    await hot.apply(write('s', 1, { puts: keys.map((key) => [key, key]) }))
    const wanted = keys.filter((key) => key.startsWith('p:')).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    const scan = async (options: { after?: string; limit: number }): Promise<string[]> =>
      (await hot.scan('s', { prefix: 'p:', ...options })).map(({ key }) => key)
    expect(await scan({ limit: 100 })).toEqual(wanted)
    expect(await scan({ limit: 3 })).toEqual(wanted.slice(0, 3))
    expect(await scan({ after: 'p:10', limit: 2 })).toEqual(wanted.slice(3, 5))
    expect(await scan({ after: 'a', limit: 1 })).toEqual(wanted.slice(0, 1))
    expect(await scan({ after: 'z', limit: 1 })).toEqual([])
    expect((await hot.scan('s', { prefix: '', limit: 100 })).map(({ key }) => key)).toHaveLength(keys.length)
  })

  it('holds many keys', async () => {
    const { hot } = context.fixture
    const keys = Array.from({ length: 5_000 }, (_, index) => `k${String(index).padStart(5, '0')}`)
    await hot.apply(write('s', 1, { puts: keys.map((key, index) => [key, { index }]) }))
    expect(await hot.get('s', keys)).toEqual(keys.map((_, index) => ({ index })))
    expect((await hot.scan('s', { prefix: 'k04', limit: 10_000 })).map(({ key }) => key)).toEqual(keys.slice(4_000))
  })

  it('forgets a scope as a whole, and no other', async () => {
    const { hot } = context.fixture
    await hot.apply(write('s', 5, { puts: [['a', 1]], timers: [['t', 9]] }))
    await hot.apply(write('s2', 5, { puts: [['a', 1]] }))
    await hot.clear('s')
    expect(await hot.get('s', ['a'])).toEqual([undefined])
    expect([await hot.watermark('s'), await hot.nextTimer('s')]).toEqual([null, null])
    expect(await hot.timersDue('s', 100, 10)).toEqual([])
    expect(await hot.get('s2', ['a'])).toEqual([1])
    expect(await hot.apply(write('s', 1, { puts: [['a', 7]] }))).toBe(true)
    expect(await hot.get('s', ['a'])).toEqual([7])
  })
}

const watermarks = (context: Context): void => {
  it('takes a write only over a smaller watermark, and changes nothing otherwise', async () => {
    const { hot } = context.fixture
    expect(await hot.watermark('s')).toBeNull()
    expect(await hot.apply(write('s', 0, { puts: [['a', 'zero']] }))).toBe(true)
    expect(await hot.apply(write('s', 10, { puts: [['a', 'ten']], timers: [['t', 1]] }))).toBe(true)
    for (const watermark of [10, 9, 0]) {
      const stale = write('s', watermark, { puts: [['a', 'stale'], ['b', 'stale']], deletes: ['a'], timers: [['t', null]] })
      expect(await hot.apply(stale)).toBe(false)
    }
    expect(await hot.get('s', ['a', 'b'])).toEqual(['ten', undefined])
    expect(await hot.nextTimer('s')).toEqual({ id: 't', at: 1 })
    expect(await hot.watermark('s')).toBe(10)
  })

  it('takes a write that names what it builds on over exactly that: a store that lost some of it is not taken for whole', async () => {
    const { hot } = context.fixture
    expect(await hot.apply(write('s', 5, { puts: [['a', 5]] }), 4)).toBe(false)
    expect(await hot.apply(write('s', 5, { puts: [['a', 5]] }), 0)).toBe(true)
    expect(await hot.apply(write('s', 9, { puts: [['a', 9]] }), 0)).toBe(false)
    expect(await hot.apply(write('s', 9, { puts: [['a', 9]] }), 6)).toBe(false)
    expect(await hot.apply(write('s', 9, { puts: [['a', 9]] }), 5)).toBe(true)
    await hot.clear('s')
    expect(await hot.apply(write('s', 12, { puts: [['b', 12]], timers: [['t', 1]] }), 9)).toBe(false)
    expect([await hot.watermark('s'), await hot.get('s', ['a', 'b']), await hot.nextTimer('s')]).toEqual([null, [undefined, undefined], null])
    expect(await hot.apply(write('s', 12, { puts: [['b', 12]] }), 0)).toBe(true)
  })

  it('takes nothing of a write that holds what cannot be stored', async () => {
    const { hot } = context.fixture
    await hot.apply(write('s', 1, { puts: [['a', 1]] }))
    const wrong: Partial<StateWrite>[] = [{ puts: [['b', 1], ['x'.repeat(2_000), 1]] }, { puts: [['b', 1]], timers: [['x'.repeat(2_000), 1]] }, { puts: [['b', 1]], timers: [['t', Number.NaN]] }]
    for (const changes of wrong) await expect(hot.apply(write('s', 2, changes))).rejects.toThrow(/too long|NaN/)
    await expect(hot.apply(write('s\0', 2))).rejects.toThrow('zero character')
    expect([await hot.watermark('s'), await hot.get('s', ['a', 'b'])]).toEqual([1, [1, undefined]])
  })

  it('takes exactly one of two writes of the same position', async () => {
    const { hot } = context.fixture
    const outcomes = await Promise.all([1, 2].map((n) => hot.apply(write('s', 7, { puts: [['winner', n]] }))))
    expect(outcomes.filter(Boolean)).toHaveLength(1)
    expect(await hot.get('s', ['winner'])).toEqual([outcomes.indexOf(true) + 1])
  })

  it('has it all after it is opened again', async () => {
    await context.fixture.hot.apply(write('s', 3, { puts: [['a', { n: 1 }]], timers: [['t', 50]] }))
    const hot = await context.fixture.reopen()
    expect([await hot.watermark('s'), await hot.get('s', ['a']), await hot.nextTimer('s')]).toEqual([3, [{ n: 1 }], { id: 't', at: 50 }])
  })
}

const timers = (context: Context): void => {
  it('gives due timers by time, then by id, up to the limit', async () => {
    const { hot } = context.fixture
    await hot.apply(write('s', 1, { timers: [['b', 20], ['a', 20], ['z', 3], ['later', 21], ['old', -5], ['big', 1.8e12]] }))
    expect(await hot.timersDue('s', 20, 10)).toEqual([
      { id: 'old', at: -5 }, { id: 'z', at: 3 }, { id: 'a', at: 20 }, { id: 'b', at: 20 },
    ])
    expect((await hot.timersDue('s', 1.8e12, 2)).map(({ id }) => id)).toEqual(['old', 'z'])
    expect(await hot.timersDue('s', -6, 10)).toEqual([])
    expect(await hot.nextTimer('s')).toEqual({ id: 'old', at: -5 })
  })

  it('has one timer per id: setting moves it, null clears it', async () => {
    const { hot } = context.fixture
    await hot.apply(write('s', 1, { timers: [['a', 10], ['b', 20]] }))
    await hot.apply(write('s', 2, { timers: [['a', 30], ['never', null]] }))
    expect(await hot.timersDue('s', 100, 10)).toEqual([{ id: 'b', at: 20 }, { id: 'a', at: 30 }])
    await hot.apply(write('s', 3, { timers: [['b', null], ['a', 5], ['a', 6]] }))
    expect(await hot.timersDue('s', 100, 10)).toEqual([{ id: 'a', at: 6 }])
  })
}

const updates = (context: Context): void => {
  it('loses none of many updates of one document', async () => {
    const { hot } = context.fixture
    const add = (before: unknown): unknown => ((before as number | undefined) ?? 0) + 1
    await Promise.all(Array.from({ length: 50 }, () => hot.update('s', 'counter', add)))
    expect(await hot.get('s', ['counter'])).toEqual([50])
    expect(await hot.watermark('s')).toBeNull()
  })

  it('removes a document when the change answers undefined, and tells what it stored', async () => {
    const { hot } = context.fixture
    expect(await hot.update('s', 'a', () => ({ n: 1 }))).toEqual({ n: 1 })
    expect(await hot.update('s', 'a', () => undefined)).toBeUndefined()
    expect(await hot.get('s', ['a'])).toEqual([undefined])
  })

  it('changes nothing when the change throws', async () => {
    const { hot } = context.fixture
    await hot.update('s', 'a', () => 1)
    await expect(hot.update('s', 'a', () => { throw new Error('no') })).rejects.toThrow('no')
    expect(await hot.get('s', ['a'])).toEqual([1])
  })

  it('forgets a document when its time is over, unless it was written again', async () => {
    const { hot, advance } = context.fixture
    await hot.update('s', 'short', () => 1, 1_000)
    await hot.update('s', 'kept', () => 1, 1_000)
    await hot.update('s', 'kept', () => 2)
    expect(await hot.get('s', ['short', 'kept'])).toEqual([1, 2])
    await advance(1_500)
    expect(await hot.get('s', ['short', 'kept'])).toEqual([undefined, 2])
    expect(await hot.scan('s', { prefix: '', limit: 10 })).toEqual([{ key: 'kept', document: 2 }])
    expect(await hot.update('s', 'short', (before) => (before === undefined ? 'new' : 'old'))).toBe('new')
  })
}
