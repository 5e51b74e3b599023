import { statfs } from 'node:fs/promises'
import { StoreError } from '@millrace/ports'
import { repairParts, type Engine } from './repair-parts.ts'

export interface DiskGuardOptions {
  readonly path: string
  readonly engine: Engine
  /** Nothing is inserted or merged while the disk has less room than this. */
  readonly freeBytesMin: number
  /** Tests tell a full disk by it. */
  readonly freeBytes?: () => Promise<number>
}

/**
 * Keeps what a full disk does to the engine from being taken for stored. ClickHouse 26.7 in process answers "ok" to an
 * insert, and puts a merge in the place of its sources, although a write of theirs met a full disk: the file is empty.
 * So below the floor there are no inserts and no merges, no insert counts that ended there, and when there is room
 * again every part is read, and those that are not whole are taken out, before anything is inserted.
 */
export interface DiskGuard {
  /** @throws StoreError 243 while there is no room, or the parts are not checked yet */
  check(): Promise<void>
  stop(): Promise<void>
}

const NOT_ENOUGH_SPACE = 243
const LOOK_EVERY_MS = 250
const REPAIR_AGAIN_MS = 1_000

export const createDiskGuard = ({ path, engine, freeBytesMin, freeBytes = () => freeBytesOf(path) }: DiskGuardOptions): DiskGuard => {
  let low: Promise<void> | undefined
  const state = { stopped: false }
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
  const look = async (): Promise<void> => {
    if (low || state.stopped || (await freeBytes()) >= freeBytesMin || low) return
    low = lowTime().finally(() => (low = undefined))
  }
  const lowTime = async (): Promise<void> => {
    await untilDone(() => engine.command('SYSTEM STOP MERGES'))
    // The sources of a merge are kept for seconds only, so merges are undone at once.
    await repairParts(engine, { canWrite: false }).catch(() => undefined)
    // Some more than the floor, so that it does not begin again with the next insert.
    while (!state.stopped && (await freeBytes().catch(() => 0)) < freeBytesMin * 1.25) await sleep(LOOK_EVERY_MS)
    await untilDone(() => repairParts(engine, { canWrite: true }))
    await untilDone(() => engine.command('SYSTEM START MERGES'))
  }
  const untilDone = async (work: () => Promise<void>): Promise<void> => {
    while (!state.stopped) {
      const done = await work().then(() => true, () => false)
      if (done) return
      await sleep(REPAIR_AGAIN_MS)
    }
  }
  // A disk that cannot be asked shows itself at the next write.
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_EVERY_MS)
  timer.unref()
  return {
    check: async () => {
      await look()
      if (low) throw new StoreError(NOT_ENOUGH_SPACE, `the disk has less than ${freeBytesMin} bytes left for the column store`)
    },
    stop: async () => {
      state.stopped = true
      clearInterval(timer)
      await low
    },
  }
}

const freeBytesOf = async (path: string): Promise<number> => {
  const { bavail, bsize } = await statfs(path)
  return bavail * bsize
}
