import { statfs } from 'node:fs/promises'

/** A commit failed because the disk has no room (or refuses writes); nothing of it was written. */
export class NoRoom extends Error {
  override readonly name = 'NoRoom'
}

/** Knows whether the disk has room for new input. */
export interface RoomGuard {
  /** @throws NoRoom below the floor, or while the disk refuses writes */
  check(): Promise<void>
  /** The same by the figure known last, which is renewed in the background. @throws NoRoom */
  checkKnown(): void
  /** Before a commit: whether the disk can take it, whatever it writes. @throws NoRoom */
  checkCommit(): Promise<void>
  /** The store cannot be trusted any more: from now on `check` throws this. */
  broke(error: Error): void
  /** A commit went through. */
  wrote(): void
  /** A commit failed: the error to throw for it. */
  refused(error: unknown): Promise<Error>
}

const CHECK_EVERY_MS = 250
/** So many floors of room are not used up between two looks. */
const AMPLE_FLOORS = 16
/**
 * Of the floor, what no commit may touch. lmdb 3.5.6 must not meet a full disk: for the message of a page that was not
 * written it takes 100 bytes and writes more, which is the end of the process, or of something else in its memory.
 */
const UNTOUCHED_SHARE = 1 / 4
const DISK_CODES = new Set([5, 27, 28, 122, -30792])

/** `freeBytesMin` is the floor for new input; consumers use most of the room below it to finish what was accepted. */
export const createRoomGuard = (dir: string, freeBytesMin: number): RoomGuard => {
  let checkedAt = -Infinity
  let free = Infinity
  let failedAt = -Infinity
  let brokenBy: Error | undefined
  /** A disk that cannot be asked shows itself at the next write. */
  const measure = async (): Promise<void> => {
    checkedAt = performance.now()
    const { bavail, bsize } = await statfs(dir)
    free = bavail * bsize
  }
  // performance.now: how stale the figure may be is a matter of real time
  const isFresh = (): boolean => performance.now() - checkedAt < CHECK_EVERY_MS
  const measureSometimes = async (): Promise<void> => {
    if (!isFresh()) await measure()
  }
  const checkKnown = (): void => {
    if (brokenBy) throw brokenBy
    if (free < freeBytesMin) throw new NoRoom(`the disk has ${free} bytes left, ${freeBytesMin} are kept free`)
    if (performance.now() - failedAt < CHECK_EVERY_MS) throw new NoRoom('the disk refused the last write')
  }
  return {
    check: async () => {
      await measureSometimes()
      checkKnown()
    },
    checkKnown: () => {
      measureSometimes().catch(() => undefined)
      checkKnown()
    },
    checkCommit: async () => {
      if (!isFresh() || free < AMPLE_FLOORS * freeBytesMin) await measure().catch(() => undefined)
      const untouched = freeBytesMin * UNTOUCHED_SHARE
      if (free < untouched) throw new NoRoom(`the disk has ${free} bytes left, ${untouched} are not touched`)
    },
    broke: (error) => {
      brokenBy = error
    },
    wrote: () => {
      failedAt = -Infinity
    },
    refused: async (error) => {
      const code = await diskCode(error)
      if (code === undefined || !DISK_CODES.has(code)) return error instanceof Error ? error : new Error(String(error))
      failedAt = performance.now()
      return new NoRoom(`the disk refused a write (code ${code})`)
    },
  }
}

// lmdb hands the real reason over in a promise of its own beside the failed commit.
const diskCode = async (error: unknown): Promise<number | undefined> => {
  const reason = await reasonOf(error)
  const code = ((reason ?? error) as { code?: unknown }).code
  return typeof code === 'number' ? code : undefined
}

const reasonOf = async (error: unknown): Promise<unknown> => {
  try {
    return await (error as { commitError?: Promise<unknown> }).commitError
  } catch (reason) {
    return reason
  }
}
