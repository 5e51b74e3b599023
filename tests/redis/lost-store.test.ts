import { readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { createRedisHotStore, createSystemClock } from '@millrace/adapters'
import type { HotStore } from '@millrace/ports'
import { startRedis, type RunningRedis } from '@millrace/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { count, open, type Met } from './counting.ts'
import { cache, missing } from './redis.ts'
import { skipped } from '../support/requirements.ts'

const skip = skipped(['redis'], 'what becomes of state when Redis loses some of it', missing)

const END = 700
const SCOPE = 'count:0'
const clock = createSystemClock()

describe.skipIf(skip)('state in a Redis that is killed, flushed or goes back', () => {
  const stops: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop()
  })
  const start = async (settings?: Record<string, string>): Promise<RunningRedis> => {
    const server = await startRedis(cache, settings)
    stops.push(() => server.stop())
    return server
  }
  const connect = async (server: RunningRedis): Promise<HotStore> => {
    const hot = await createRedisHotStore({ urls: [server.url], clock })
    stops.push(() => hot.close())
    return hot
  }
  const whole = async (hot: HotStore): Promise<void> => expect((await open(hot, SCOPE)).at).toBe(END)
  const print = (what: string, { refused, unavailable }: Met): unknown => process.stdout.write(`${what}: ${unavailable} times without an answer, ${refused} writes refused\n`)

  for (const appendfsync of ['always', 'everysec']) {
    it(`is whole after kills amid writes (appendfsync ${appendfsync})`, async () => {
      const server = await start({ appendfsync })
      const hot = await connect(server)
      let [kills, acknowledged] = [0, 0]
      let up: Promise<void> = Promise.resolve()
      const lost: number[] = []
      const met = await count({
        hot, scope: SCOPE, end: END,
        before: (at) => {
          acknowledged = at
          if (at < (kills + 1) * 100) return
          kills++
          // Beside the write: it may be stored or not, and its answer may be lost.
          up = server.kill().then(() => server.restart())
        },
        recovered: async () => {
          await up
          const stored = (await answered(() => hot.watermark(SCOPE))) ?? 0
          lost.push(Math.max(0, acknowledged - stored))
        },
      })
      await whole(hot)
      expect(kills).toBe(6)
      // With everysec Redis answers before the file has the write while its disk is busy, and a kill loses that.
      expect(lost).toHaveLength(6)
      if (appendfsync === 'always') expect(lost).toEqual([0, 0, 0, 0, 0, 0])
      print(`6 kills, appendfsync ${appendfsync}, positions lost and folded again ${lost.join(' ')}`, met)
    })
  }

  it('goes back as a whole when the end of the append-only file is lost, and is folded forward again', async () => {
    const server = await start({ appendfsync: 'everysec' })
    const hot = await connect(server)
    let up: Promise<void> | null = null
    let back = END
    const met = await count({
      hot, scope: SCOPE, end: END,
      before: (at) => {
        if (at < 350 || up) return
        up = cutShort(server)
      },
      recovered: async () => {
        await up
        back = Math.min(back, (await answered(() => hot.watermark(SCOPE))) ?? 0)
      },
    })
    await whole(hot)
    expect(back).toBeLessThan(350)
    expect(back).toBeGreaterThan(0)
    print(`20,011 bytes lost, back to ${back} of 350`, met)
  })

  it('is refused to a consumer whose memory is ahead: flushed between two writes with no read between them', async () => {
    const server = await start()
    const hot = await connect(server)
    const flushes = new Set([70, 350, 693])
    const met = await count({ hot, scope: SCOPE, end: END, before: async (at) => void (flushes.delete(at) && (await server.command('FLUSHALL'))) })
    await whole(hot)
    expect(flushes.size).toBe(0)
    expect(met.refused).toBe(3)
    print('3 flushes', met)
  })

  it('is forgotten as a whole when a part of it is gone', async () => {
    const server = await start()
    const hot = await connect(server)
    for (const part of ['', ':keys', ':timers']) {
      await count({ hot, scope: SCOPE, end: 350 })
      await server.command('DEL', `{millrace:${SCOPE}}${part}`)
      expect([part, await hot.watermark(SCOPE), await hot.scan(SCOPE, { prefix: '', limit: 1 }), await hot.nextTimer(SCOPE)]).toEqual([part, null, [], null])
      await count({ hot, scope: SCOPE, end: 350 })
      await server.command('DEL', `{millrace:${SCOPE}}${part}`)
      expect(await hot.apply({ scope: SCOPE, watermark: 357, puts: [], deletes: [], timers: [] }, 350)).toBe(false)
    }
    await count({ hot, scope: SCOPE, end: END })
    await whole(hot)
  })

  it('takes nothing of a copy that lost the partition, and comes out right when two copies work at once', async () => {
    const server = await start()
    const [first, second] = [await connect(server), await connect(server)]
    const late = await open(first, SCOPE)
    await count({ hot: second, scope: SCOPE, end: 210 })
    expect(await first.apply({ scope: SCOPE, watermark: 217, puts: [['k0', { count: 1 }]], deletes: [], timers: [] }, late.at)).toBe(false)
    expect((await open(first, SCOPE)).at).toBe(210)
    const opened = await Promise.all([first, second].map((hot) => open(hot, SCOPE)))
    const met = await Promise.all([first, second].map((hot, copy) => count({ hot, scope: SCOPE, end: END, opened: opened[copy]! })))
    await whole(first)
    expect(met[0]!.refused + met[1]!.refused).toBeGreaterThan(0)
    process.stdout.write(`two copies at once: ${met.map(({ refused }) => refused).join(' and ')} writes refused\n`)
  })
})

/** In the middle of a command, as a disk that stopped would leave the file. */
const cutShort = async (server: RunningRedis): Promise<void> => {
  await server.kill()
  const file = appendOnlyFile(server.folder)
  truncateSync(file, statSync(file).size - 20_011)
  await server.restart()
}

const TRIES_MAX = 50

/** The client comes back a moment after the server. */
const answered = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
  for (let tries = 1; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      if (tries === TRIES_MAX) throw error
    }
  }
}

/** Of version 6 one file; of 7 a base and the newest increment in a folder. */
const appendOnlyFile = (folder: string): string =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith('.aof')).map((name) => join(folder, name))
    .sort((left, right) => statSync(right).size - statSync(left).size)[0]!
