import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Clock } from '@millrace/ports'

/** How often the file is looked at while somebody waits. */
const LOOK_MS = 10
/** A time read this short ago is not read again. */
const FRESH_MS = 2

interface Waiting {
  readonly at: number
  callback(): void
}

/**
 * A clock that tells the time written in a file, for tests: a process that is given the path obeys whoever
 * writes the file. Time stands still until then.
 */
export const createFileClock = (path: string): Clock => {
  let waiting: Waiting[] = []
  let looking: NodeJS.Timeout | undefined
  let known = readTimeFile(path)
  let readAt = performance.now()

  const now = (): number => {
    // performance.now: how stale the last reading may be is a matter of real time
    if (performance.now() - readAt >= FRESH_MS) {
      known = Math.max(known, readTimeFile(path))
      readAt = performance.now()
    }
    return known
  }
  const look = (): void => {
    const time = now()
    const due = waiting.filter(({ at }) => at <= time).sort((a, b) => a.at - b.at)
    waiting = waiting.filter(({ at }) => at > time)
    if (waiting.length === 0) rest()
    for (const { callback } of due) callback()
  }
  const rest = (): void => {
    clearInterval(looking)
    looking = undefined
  }
  return {
    now,
    after: (ms, callback) => {
      const own: Waiting = { at: now() + Math.max(0, ms), callback }
      waiting.push(own)
      looking ??= setInterval(look, LOOK_MS)
      return () => {
        waiting = waiting.filter((other) => other !== own)
        if (waiting.length === 0) rest()
      }
    },
  }
}

/** Sets the time of a file clock; all processes that read the file see it within 10 ms or so. */
export const writeFileClock = (path: string, time: number): void => {
  writeFileSync(`${path}.new`, String(Math.floor(time)))
  renameSync(`${path}.new`, path)
}

/** @throws when the file is not there or holds no time */
export const readTimeFile = (path: string): number => {
  const time = Number(readFileSync(path, 'utf8').trim() || 'empty')
  if (!Number.isSafeInteger(time)) throw new Error(`${path} holds no time in milliseconds`)
  return time
}
