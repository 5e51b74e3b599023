import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { guardCommits, StoreBroken } from './guard.ts'
import { createRoomGuard, NoRoom } from './room.ts'
import { WriteSet } from './write-set.ts'

const nothing = new WriteSet({ get: () => undefined })
const room = () => createRoomGuard(tmpdir(), 0)

/** How lmdb tells of a failed commit: the reason comes in a promise of its own. */
const commitFailed = (code: number): Error => {
  const commitError = Promise.reject(Object.assign(new Error('reason'), { code }))
  commitError.catch(() => undefined)
  return Object.assign(new Error('Commit failed'), { commitError })
}

describe('a commit', () => {
  it('that never ends is given up, and nothing is taken after it', async () => {
    let calls = 0
    const guard = room()
    const write = guardCommits(guard, 500, () => {
      calls++
      return new Promise(() => {})
    })
    await expect(write(nothing)).rejects.toThrow(StoreBroken)
    await expect(write(nothing)).rejects.toThrow('a commit took longer than 500 ms')
    expect(calls).toBe(1)
    await expect(guard.check()).rejects.toThrow(StoreBroken)
  })

  it('is not begun on a disk that has next to no room: lmdb must not meet its end', async () => {
    let calls = 0
    const guard = createRoomGuard(tmpdir(), Number.MAX_SAFE_INTEGER)
    const write = guardCommits(guard, 1_000, async () => void calls++)
    await expect(write(nothing)).rejects.toThrow(NoRoom)
    expect(calls).toBe(0)
    expect(() => guard.checkKnown()).toThrow(NoRoom)
  })

  it('goes on where the disk cannot be asked', async () => {
    const guard = createRoomGuard(join(tmpdir(), 'there-is-no-such-folder'), 1)
    let calls = 0
    await guardCommits(guard, 1_000, async () => void calls++)(nothing)
    expect(calls).toBe(1)
  })

  it.each([5, 27, 28, 122, -30792])('that the disk refused with code %i is told as lack of room, and the next may go through', async (code) => {
    let fail = true
    const guard = room()
    const write = guardCommits(guard, 1_000, () => (fail ? Promise.reject(commitFailed(code)) : Promise.resolve()))
    await expect(write(nothing)).rejects.toThrow(NoRoom)
    expect(() => guard.checkKnown()).toThrow(NoRoom)
    fail = false
    await write(nothing)
    expect(() => guard.checkKnown()).not.toThrow()
  })

  it('that failed for another reason throws that', async () => {
    const write = guardCommits(room(), 1_000, () => Promise.reject(new Error('other')))
    await expect(write(nothing)).rejects.toThrow('other')
  })
})
