import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { createLogger, type Logger, type LogLevel } from '@millrace/service-kit'
import { multistream } from 'pino'

/** Two files of this size at most: the present one and the one before. */
const FILE_BYTES_MAX = 10 * 1024 * 1024

export interface Messages {
  readonly logger: Logger
  close(): void
}

/**
 * What the parts tell goes to a file in the data folder, as JSON; warnings and worse also to the terminal, as a line that
 * a person can read. Without a file (tests) nothing but warnings is told.
 */
export const openMessages = (level: LogLevel, path: string | null, terminal: (line: string) => void): Messages => {
  const file = path === null || level === 'silent' ? null : openTurnedFile(path)
  const least = level === 'silent' || level === 'fatal' || level === 'error' ? 'fatal' : 'warn'
  const streams = [
    ...(file ? [{ level: level as Exclude<LogLevel, 'silent'>, stream: file }] : []),
    { level: least as 'fatal' | 'warn', stream: { write: (line: string) => terminal(sentenceOf(line)) } },
  ]
  return { logger: createLogger(level, multistream(streams)), close: () => file?.close() }
}

/** Opened by the first line: until then nobody knows whether the folder is ours to write to. */
export const openTurnedFile = (path: string): { write(line: string): void; close(): void } => {
  let descriptor: number | undefined
  let bytes = 0
  const open = (): number => {
    mkdirSync(dirname(path), { recursive: true })
    descriptor = openSync(path, 'a')
    bytes = statSync(path).size
    return descriptor
  }
  const close = (): void => {
    if (descriptor !== undefined) closeSync(descriptor)
    descriptor = undefined
  }
  return {
    // Written at once: the last line before a crash is the one that is wanted.
    write: (line) => {
      try {
        if (bytes > FILE_BYTES_MAX) {
          close()
          renameSync(path, `${path}.1`)
        }
        bytes += writeSync(descriptor ?? open(), line)
      } catch {
        // A full disk stops the log of messages, not the events: those have a guard of their own.
      }
    },
    close,
  }
}

interface Told {
  readonly level: string
  readonly time: string
  readonly event?: string
  readonly msg?: string
  readonly err?: { readonly message?: string }
}

/** A line of a logger as a person reads it. */
export const sentenceOf = (line: string): string => {
  const { level, time, event, msg, err, ...rest } = JSON.parse(line) as Told
  const detail = [msg, err?.message].filter((part) => part !== undefined && part !== '').join(': ')
  const more = Object.entries(rest).map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
  return `${time.slice(11, 19)} ${level} ${event ?? ''}${detail ? ` ${detail}` : ''}${more.length > 0 ? ` (${more.join(', ')})` : ''}`
}
