import { createRedisHotStore, createSystemClock, RedisUnfit, WriteTooLarge, type RedisHotStoreOptions } from '@millrace/adapters'
import { HotStoreUnavailable, type HotStore, type StateWrite } from '@millrace/ports'
import { startRedis, type RunningRedis } from '@millrace/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { cache, missing } from './redis.ts'
import { skipped } from '../support/requirements.ts'

const skip = skipped(['redis'], 'what the hot store on Redis refuses', missing)

const clock = createSystemClock()
const write = (watermark: number, changes: Partial<StateWrite> = {}): StateWrite => ({ scope: 's', watermark, puts: [], deletes: [], timers: [], ...changes })

describe.skipIf(skip)('the hot store on Redis', () => {
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
  })
  const start = async (settings?: Record<string, string>): Promise<RunningRedis> => {
    const server = await startRedis(cache, settings)
    stops.push(() => server.stop())
    return server
  }
  const connect = async (server: RunningRedis, more: Partial<RedisHotStoreOptions> = {}): Promise<HotStore> => {
    const hot = await createRedisHotStore({ urls: [server.url], clock, ...more })
    stops.push(() => hot.close())
    return hot
  }

  it('does not start over a Redis that would drop state by itself, and says so when it keeps no file', async () => {
    const evicting = await start({ 'maxmemory-policy': 'allkeys-lru' })
    await expect(connect(evicting)).rejects.toThrow(RedisUnfit)
    await expect(connect(evicting)).rejects.toThrow('set it to noeviction')
    const warnings: string[] = []
    await connect(await start({ appendonly: 'no' }), { onWarning: ({ event }) => void warnings.push(event) })
    await connect(await start(), { onWarning: ({ event }) => void warnings.push(event) })
    expect(warnings).toEqual(['redis.not-durable'])
  })

  it('does not start where there is no Redis, or where the URL is none', async () => {
    const server = await start()
    await server.kill()
    await expect(connect(server, { answerMs: 300 })).rejects.toThrow(HotStoreUnavailable)
    await expect(connect(server, { answerMs: 300 })).rejects.toThrow(`no Redis answers at 127.0.0.1:${server.port}`)
    for (const url of ['http://127.0.0.1:1', '127.0.0.1:6379', 'redis://', 'redis://h/x']) await expect(connect(server, { urls: [url] })).rejects.toThrow('the URL of Redis must be')
    await expect(connect(server, { urls: [] })).rejects.toThrow('needs the URL')
  })

  it('answers with a fault while Redis is gone or frozen, and works again when it is back', async () => {
    const server = await start()
    const hot = await connect(server, { answerMs: 500 })
    await hot.apply(write(1, { puts: [['a', 1]] }))
    await server.kill()
    const asked: (() => Promise<unknown>)[] = [
      () => hot.get('s', ['a']), () => hot.apply(write(2)), () => hot.scan('s', { prefix: '', limit: 1 }), () => hot.watermark('s'), () => hot.update('s', 'b', () => 1),
    ]
    for (const ask of asked) await expect(ask()).rejects.toThrow(HotStoreUnavailable)
    await server.restart()
    await expect.poll(() => hot.get('s', ['a']).catch(() => 'gone'), { timeout: 20_000 }).toEqual([1])
    server.freeze()
    for (const ask of asked) await expect(ask()).rejects.toThrow(HotStoreUnavailable)
    server.thaw()
    await expect.poll(() => hot.get('s', ['a']).catch(() => 'frozen'), { timeout: 20_000 }).toEqual([1])
  })

  it('stores nothing of a write for which Redis has no memory', async () => {
    const server = await start()
    const hot = await connect(server)
    await hot.apply(write(1, { puts: [['a', 1]], timers: [['t', 1]] }))
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
    await expect(hot.apply(write(2, { puts: [['a', 2], ['b', 2]], timers: [['t', null]] }))).rejects.toThrow(/OOM/)
    await expect(hot.update('s', 'b', () => 1)).rejects.toThrow(HotStoreUnavailable)
    expect([await hot.watermark('s'), await hot.get('s', ['a', 'b']), await hot.nextTimer('s')]).toEqual([1, [1, undefined], { id: 't', at: 1 }])
    await server.command('CONFIG', 'SET', 'maxmemory', '0')
    expect(await hot.apply(write(2, { puts: [['a', 2]] }))).toBe(true)
  })

  it('takes 100,000 documents as one write, and refuses what is over its bound before it is sent', async () => {
    // Half a million changes of one script: on a busy machine more than the usual bound of an answer.
    const hot = await connect(await start(), { answerMs: 120_000 })
    const keys = Array.from({ length: 100_000 }, (_, index) => `k${index}`)
    expect(await hot.apply(write(1, { puts: keys.map((key) => [key, 1]), timers: keys.map((key) => [key, 1]) }))).toBe(true)
    expect(await hot.apply(write(2, { deletes: keys.slice(1), timers: keys.slice(1).map((key) => [key, null]) }))).toBe(true)
    expect([await hot.scan('s', { prefix: '', limit: 10 }), await hot.timersDue('s', 1, 10)]).toEqual([[{ key: 'k0', document: 1 }], [{ id: 'k0', at: 1 }]])
    await expect(hot.apply(write(3, { deletes: Array.from({ length: 400_001 }, () => 'k') }))).rejects.toThrow(WriteTooLarge)
    expect(await hot.watermark('s')).toBe(2)
  })

  it('goes on when Redis has forgotten its scripts', async () => {
    const server = await start()
    const hot = await connect(server)
    await hot.apply(write(1))
    await server.command('SCRIPT', 'FLUSH')
    expect([await hot.apply(write(2)), await hot.watermark('s'), await hot.update('s', 'a', () => 1)]).toEqual([true, 2, 1])
  })

  it('keeps what over-long lives leave small: documents that are over go when others come', async () => {
    const server = await start()
    let now = 1_000
    const hot = await connect(server, { clock: { ...clock, now: () => now } })
    for (let index = 0; index < 200; index++) {
      await hot.update('sessions', `s${index}`, () => index, 10)
      now += 5
    }
    const kept = Number((await server.command('HLEN', '{millrace:sessions}')).slice(1))
    expect(kept).toBeLessThan(5)
  })
})
