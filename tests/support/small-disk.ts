import { execFileSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { skipped } from './requirements.ts'

/** A disk of its own, small enough to be filled. */
export interface SmallDisk {
  readonly folder: string
  /** Takes all the room that there is now. */
  fill(): void
  /** Gives it back. */
  free(): void
  remove(): void
}

const CHUNK = Buffer.alloc(1 << 20)

/** A tmpfs; null, and said aloud, where this user may not mount one. */
export const mountSmallDisk = (megabytes: number): SmallDisk | null => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'pipe' })
  } catch (error) {
    rmSync(folder, { recursive: true })
    skipped(['small-disk'], 'a full disk', `a small disk needs root on Linux: ${(error as Error).message.split('\n')[0]}`)
    return null
  }
  const filler = openSync(join(folder, 'filler'), 'w')
  let filled = 0
  return {
    folder,
    fill: () => {
      for (let size = CHUNK.length; size >= 4096; size /= 16) filled += writeAll(filler, size, filled)
    },
    free: () => {
      ftruncateSync(filler, 0)
      filled = 0
    },
    remove: () => {
      closeSync(filler)
      execFileSync('umount', ['-l', folder])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Bytes written until the disk took no more. */
const writeAll = (file: number, size: number, from: number): number => {
  let written = 0
  try {
    for (;;) {
      const taken = writeSync(file, CHUNK, 0, size, from + written)
      written += taken
      if (taken < size) return written
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    return written
  }
}
