import { createFileClock, createRedisHotStore, writeFileClock } from '@millrace/adapters'
import type { HotStore } from '@millrace/ports'
import { hotStoreProperty, hotStoreSuite } from '@millrace/ports/suites'
import { createTempFolder, startRedis, type RunningRedis } from '@millrace/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { cache, missing } from './redis.ts'

if (missing) process.stdout.write(`SKIPPED the hot store on Redis: ${missing}\n`)

describe.skipIf(missing)('on a real Redis', () => {
  let server: RunningRedis
  let made = 0
  beforeAll(async () => {
    server = await startRedis(cache)
  }, 120_000)
  afterAll(() => server?.stop())

  hotStoreSuite('redis', async () => {
    const folder = await createTempFolder('redis-clock')
    const file = folder.at('time')
    let time = 1_000_000
    writeFileClock(file, time)
    const prefix = `t${made++}`
    const open = () => createRedisHotStore({ urls: [server.url], prefix, clock: createFileClock(file) })
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

  hotStoreProperty('redis', async (clock) => {
    const prefix = `p${made++}`
    const open = () => createRedisHotStore({ urls: [server.url], prefix, clock })
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
