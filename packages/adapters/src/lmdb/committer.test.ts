import { describe, expect, it } from 'vitest'
import { createCommitter, type Committer } from './committer.ts'
import type { WriteSet } from './write-set.ts'

const bytesOf = (text: string): Buffer => Buffer.from(text)

const setUp = (everyMs: number, write: (writes: WriteSet) => Promise<void> = async () => {}) => {
  const startedAt: number[] = []
  const written: string[][] = []
  const stored = new Map<string, Buffer>()
  const committer = createCommitter({
    reader: { get: (_, key) => stored.get(key.toString()) },
    everyMs,
    write: async (writes) => {
      startedAt.push(performance.now())
      await write(writes)
      const rows = [...writes.touched('documents')]
      written.push(rows.map(({ key }) => key.toString()))
      for (const { key, value } of rows) stored.set(key.toString(), value!)
    },
    committed: () => {},
  })
  return { committer, startedAt, written, stored }
}

const put = (committer: Committer, key: string): Promise<void> =>
  committer.commit({ bytes: 10, plan: (writes) => writes.put('documents', bytesOf(key), bytesOf('1')) })

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('the group commit', () => {
  it('starts at most one transaction in 5 ms under load, and none when idle', async () => {
    const { committer, startedAt } = setUp(5)
    let jobs = 0
    const until = performance.now() + 500
    await Promise.all(Array.from({ length: 20 }, async (_, writer) => {
      while (performance.now() < until) {
        await put(committer, `${writer}:${jobs++}`)
        await sleep(0)
      }
    }))
    const commits = startedAt.length
    await sleep(30)
    expect(startedAt).toHaveLength(commits)
    expect(commits).toBeLessThanOrEqual(500 / 5 + 2)
    expect(jobs).toBeGreaterThan(commits * 5)
    process.stdout.write(`group commit: ${jobs} jobs in ${commits} transactions in 500 ms\n`)
  })

  it('puts all that came meanwhile into the next transaction', async () => {
    const { committer, written } = setUp(1, () => sleep(10))
    await Promise.all([put(committer, 'a'), sleep(5).then(() => Promise.all([put(committer, 'b'), put(committer, 'c')]))])
    expect(written).toEqual([['a'], ['b', 'c']])
  })

  it('lets a job see what the jobs before it in the same transaction wrote', async () => {
    const { committer, written } = setUp(1)
    const count = (): Promise<number> =>
      committer.commit({
        bytes: 1,
        plan: (writes) => {
          const next = Number(writes.get('documents', bytesOf('n'))?.toString() ?? 0) + 1
          writes.put('documents', bytesOf('n'), bytesOf(String(next)))
          return next
        },
      })
    expect(await Promise.all([count(), count(), count()])).toEqual([1, 2, 3])
    expect(written).toHaveLength(1)
  })

  it('refuses a job that throws alone, and nothing of it is written', async () => {
    const { committer, written } = setUp(1)
    const bad = committer.commit({
      bytes: 1,
      plan: (writes) => {
        writes.put('documents', bytesOf('half'), bytesOf('1'))
        throw new Error('no')
      },
    })
    const outcomes = await Promise.allSettled([put(committer, 'a'), bad, put(committer, 'b')])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(written).toEqual([['a', 'b']])
  })

  it('tells every job when the transaction failed, counts no byte of it any more, and goes on', async () => {
    let fail = true
    const { committer, stored } = setUp(1, async () => {
      if (fail) throw new Error('disk')
    })
    const outcomes = await Promise.allSettled([put(committer, 'a'), put(committer, 'b')])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await sleep(0)
    expect([committer.waitingBytes(), stored.size]).toEqual([0, 0])
    fail = false
    await put(committer, 'c')
    expect([...stored.keys()]).toEqual(['c'])
  })

  it('has given back the room of a job when it tells that the job is done', async () => {
    const { committer } = setUp(1)
    expect(await put(committer, 'a').then(() => committer.waitingBytes())).toBe(0)
  })

  it('commits what waits when it is closed, then takes nothing more', async () => {
    const { committer, stored } = setUp(20, () => sleep(5))
    const first = put(committer, 'a')
    const second = sleep(3).then(() => put(committer, 'b'))
    await sleep(10)
    await committer.close()
    await Promise.all([first, second])
    expect([...stored.keys()]).toEqual(['a', 'b'])
    await expect(put(committer, 'c')).rejects.toThrow('closed')
  })
})
