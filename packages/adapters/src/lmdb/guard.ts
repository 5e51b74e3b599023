import type { RoomGuard } from './room.ts'
import type { WriteSet } from './write-set.ts'

/** The store cannot be trusted any more; it works again when it is opened again. */
export class StoreBroken extends Error {
  override readonly name = 'StoreBroken'
}

/**
 * lmdb never settles a transaction that it could not even begin, so a commit gets a limit; behind it nothing
 * is known of that transaction, and only opening the folder again tells.
 */
export const guardCommits = (room: RoomGuard, msMax: number, write: (writes: WriteSet) => Promise<void>) => {
  let broken: StoreBroken | undefined
  return async (writes: WriteSet): Promise<void> => {
    if (broken) throw broken
    let timer: NodeJS.Timeout | undefined
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        broken = new StoreBroken(`a commit took longer than ${msMax} ms`)
        room.broke(broken)
        reject(broken)
      }, msMax)
    })
    try {
      await Promise.race([room.checkCommit().then(() => (broken ? Promise.reject(broken) : write(writes))), limit])
      room.wrote()
    } catch (error) {
      throw error === broken ? error : await room.refused(error)
    } finally {
      clearTimeout(timer)
    }
  }
}
