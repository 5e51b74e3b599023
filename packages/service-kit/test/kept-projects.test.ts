import { topics, type ProjectRecord } from '@millrace/contracts'
import { LogUnavailable, type HotStore } from '@millrace/ports'
import { describe, expect, it } from 'vitest'
import { createProjects, hashKey, type Projects } from '../src/index.ts'
import { createCountingIds, createFixedClock } from './fixed.ts'
import { createMemoryHotStore } from './memory-hot-store.ts'
import { createMemoryLog } from './memory-log.ts'

const SHOP = { name: 'Shop', zone: 'UTC', currency: 'EUR', writeKey: 'wk', apiKey: 'mk' }

const setUp = () => {
  const deps = { hot: createMemoryHotStore(), log: createMemoryLog(), ids: createCountingIds(), clock: createFixedClock() }
  return { ...deps, copy: (): Projects => createProjects(deps) }
}
/** The scope as it was, as a store that lost its last second would have it. */
const wentBack = async (hot: HotStore, before: readonly { key: string; document: unknown }[]): Promise<void> => {
  await hot.clear('projects')
  for (const { key, document } of before) await hot.update('projects', key, () => document)
}
const all = (hot: HotStore) => hot.scan('projects', { prefix: '', limit: 100 })

describe('projects outlive the hot store', () => {
  it('come back with all their keys when it was flushed, and no id is given twice', async () => {
    const { hot, copy } = setUp()
    const projects = copy()
    await projects.create(SHOP)
    await projects.addWriteKey(1, 'app', 'wk-app')
    await hot.clear('projects')
    await projects.refresh()
    expect(projects.byApiKey('mk')?.role).toBe('admin')
    await hot.clear('projects')
    const started = copy()
    await started.start()
    expect([started.byWriteKey('wk')?.source, started.byWriteKey('wk-app')?.source, await started.shownWriteKey(1)]).toEqual(['default', 'app', 'wk'])
    await hot.clear('projects')
    expect((await started.create({ ...SHOP, writeKey: 'wk-2', apiKey: 'mk-2' })).project.id).toBe(2)
    expect(started.byApiKey('mk')?.project.id).toBe(1)
    await started.stop()
  })

  it('keep a change that the hot store forgot, also under the next one of a copy that never saw it', async () => {
    const { hot, copy } = setUp()
    const [one, other] = [copy(), copy()]
    await one.create(SHOP)
    await other.refresh()
    const before = await all(hot)
    await one.addApiKey(1, 'analyst', 'mk-lost')
    await wentBack(hot, before)
    await other.addApiKey(1, 'analyst', 'mk-next')
    await one.refresh()
    for (const projects of [one, other, copy()]) {
      await projects.refresh()
      expect(['mk', 'mk-lost', 'mk-next'].map((key) => projects.byApiKey(key)?.project.id)).toEqual([1, 1, 1])
    }
    await wentBack(hot, before)
    await one.refresh()
    expect(one.byApiKey('mk-next')?.project.id).toBe(1)
  })

  it('are told to the topic at the start where only the hot store knows them: a folder of an older version', async () => {
    const { hot, log, copy } = setUp()
    const document = { id: 3, name: 'Old', zone: 'UTC', currency: 'USD', writeKeys: [{ hash: hashKey('wk'), source: 'default' }], apiKeys: [], identity: {} }
    await hot.update('projects', 'project:00003', () => document)
    await hot.update('projects', 'shown:3', () => 'wk')
    await hot.update('projects', 'last-id', () => 3)
    const first = copy()
    await first.start()
    await first.stop()
    expect((await log.extents(topics.projects.name))[0]?.next).toBe(1)
    await hot.clear('projects')
    const second = copy()
    await second.start()
    await second.stop()
    expect([second.byWriteKey('wk')?.project.name, await second.shownWriteKey(3)]).toEqual(['Old', 'wk'])
    expect((await log.extents(topics.projects.name))[0]?.next).toBe(1)
  })

  it('lose no change of two copies that change at once', async () => {
    const { hot, copy } = setUp()
    const [one, other] = [copy(), copy()]
    await one.create(SHOP)
    const keys = Array.from({ length: 10 }, (_, index) => `wk-${index}`)
    await Promise.all(keys.map((key, index) => (index % 2 ? one : other).addWriteKey(1, 'app', key)))
    await hot.clear('projects')
    await one.refresh()
    expect(keys.filter((key) => !one.byWriteKey(key))).toEqual([])
  })

  it('do not count a change as made that the log did not take, and tell it when they start again', async () => {
    const { hot, log, copy } = setUp()
    const projects = copy()
    await projects.create(SHOP)
    log.failWith(new Error('the log is full'))
    await expect(projects.addWriteKey(1, 'app', 'wk-app')).rejects.toThrow('the log is full')
    log.failWith(null)
    await projects.start()
    await projects.stop()
    await hot.clear('projects')
    await projects.refresh()
    expect(projects.byWriteKey('wk-app')?.source).toBe('app')
  })

  it('are known from the hot store alone while the log is away, and are settled when it is back', async () => {
    const { hot, log, ids, copy } = setUp()
    await copy().create(SHOP)
    let away = true
    const waits: (() => void)[] = []
    const asked = async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
      if (away) throw new LogUnavailable('LOG_BUSY', 'nobody answers')
      return answer
    }
    const late = createProjects({
      hot, ids, log: { ...log, extents: (topic) => asked(log.extents(topic)) }, clock: { now: () => 0, after: (_, callback) => { waits.push(callback); return () => {} } },
    })
    await late.start()
    expect(late.byWriteKey('wk')?.source).toBe('default')
    await hot.update('projects', 'project:00001', (before) => ({ ...(before as ProjectRecord), name: 'Renamed', version: 9 }))
    away = false
    waits.pop()!()
    // What only the hot store knew has come to the topic.
    await expect.poll(async () => (await log.read('projects', 0, 0, { recordsMax: 9, bytesMax: 9e6 })).length).toBe(2)
    await late.stop()
  })

  it('are waited for where neither the log nor the hot store has any: a key that exists is never told to be none', async () => {
    const { hot, log, ids, copy } = setUp()
    await copy().create(SHOP)
    await hot.clear('projects')
    let looks = 0
    const extents: typeof log.extents = async (topic) => {
      if (++looks < 4) throw new LogUnavailable('LOG_BUSY', 'nobody answers')
      return log.extents(topic)
    }
    const started = createProjects({ hot, ids, log: { ...log, extents }, clock: { now: () => 0, after: (ms, callback) => { if (ms < 1_000) setImmediate(callback); return () => {} } } })
    await started.start()
    expect(started.byWriteKey('wk')?.source).toBe('default')
    await started.stop()
  })
})
