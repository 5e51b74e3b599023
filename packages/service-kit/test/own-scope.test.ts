import type { Assignment, StateWrite } from '@millrace/ports'
import { describe, expect, it } from 'vitest'
import { openOwnScope, StateMoved } from '../src/index.ts'
import { createMemoryHotStore } from './memory-hot-store.ts'

const assignment = (offset: number): Assignment =>
  ({ topic: 'events.resolved', partition: 0, committed: { offset, metadata: '' }, declare: async () => {} })
const write = (watermark: number): StateWrite => ({ scope: 'fold:0', watermark, puts: [['k', watermark]], deletes: [], timers: [] })

describe('the scope of a consumer', () => {
  it('begins behind what its state includes, and is read as long as nobody else writes', async () => {
    const hot = createMemoryHotStore()
    expect((await openOwnScope(hot, 'fold:0', assignment(9))).from).toBe(0)
    await hot.apply(write(5))
    const scope = await openOwnScope(hot, 'fold:0', assignment(9))
    expect([scope.from, await scope.get(['k'])]).toEqual([5, [5]])
    await hot.apply(write(9))
    scope.stored(9)
    expect(await scope.get(['k'])).toEqual([9])
  })

  it('is not read behind the late write of another copy (R17)', async () => {
    const hot = createMemoryHotStore()
    const scope = await openOwnScope(hot, 'fold:0', assignment(9))
    await hot.apply(write(5))
    await expect(scope.get(['k'])).rejects.toThrow(StateMoved)
    await expect(scope.scan({ prefix: '', limit: 1 })).rejects.toThrow(StateMoved)
    await expect(scope.timersDue(0, 1)).rejects.toThrow(StateMoved)
  })

  it('is not opened ahead of the log', async () => {
    const hot = createMemoryHotStore()
    await hot.apply(write(5))
    await expect(openOwnScope(hot, 'fold:0', assignment(4))).rejects.toThrow('committed only to 4')
  })
})
