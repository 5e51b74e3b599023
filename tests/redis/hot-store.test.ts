import { createFileClock, createRedisHotStore, writeFileClock } from '@millrace/adapters'
import type { HotStore } from '@millrace/ports'
import { hotStoreProperty, hotStoreSuite } from '@millrace/ports/suites'
import { createTempFolder, startRedis, type RunningRedis } from '@millrace/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { cache, missing, startCluster } from './redis.ts'
import { skipped } from '../support/requirements.ts'

const skip = skipped(['redis'], 'the hot store on Redis', missing)

/** A cluster is told by several URLs; one server may be named twice. */
const WAYS = [
  { name: 'redis', start: () => startRedis(cache), urls: ({ url }: RunningRedis) => [url] },
  { name: 'redis cluster', start: startCluster, urls: ({ url }: RunningRedis) => [url, url] },
]

describe.skipIf(skip).each(WAYS)('on a real Redis', ({ name, start, urls }) => {
  let server: RunningRedis
  let made = 0
  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server?.stop())

  hotStoreSuite(name, async () => {
    const folder = await createTempFolder('redis-clock')
    const file = folder.at('time')
    let time = 1_000_000
    writeFileClock(file, time)
    const prefix = `t${made++}`
    const open = () => createRedisHotStore({ urls: urls(server), prefix, clock: createFileClock(file) })
    let hot = await open()
    return {
      hot,
      async advance(ms) {
        writeFileClock(file, (time += ms))
        await new Promise((resolve) => setTimeout(resolve, 20))
      },
      async reopen() {
        await hot.close()
        hot = await open()
        return hot
      },
      async dispose() {
        await hot.close()
        await folder.remove()
      },
    }
  })

  hotStoreProperty(name, async (clock) => {
    const prefix = `p${made++}`
    const open = () => createRedisHotStore({ urls: urls(server), prefix, clock })
    const hot = await open()
    let second: HotStore | undefined
    return {
      hot,
      again: async () => (second = await open()),
      async dispose() {
        await hot.close()
        await second?.close()
      },
    }
  })
})
