import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { StoreError } from '@millrace/ports'
import type { createChdbConnection } from 'chdb/connection'
import type { Session } from 'chdb'
import { forgetLostParts } from './lost-parts.ts'

export type Connection = ReturnType<typeof createChdbConnection>

/** @throws StoreError when the folder is held by another process or cannot be read */
export const openChdb = (path: string, memoryBytesMax = 1_400_000_000) => {
  // Loaded when chosen: the native library costs 150 MB of memory that the stack's services must not pay.
  const require = createRequire(import.meta.url)
  try {
    const engine = require('chdb') as { Session: typeof Session }
    const connect = (require('chdb/connection') as { createChdbConnection: typeof createChdbConnection })
      .createChdbConnection
    mkdirSync(path, { recursive: true })
    // Server options belong to the first connection of a process; the others take them over.
    const keeper = new engine.Session(path, { connectionArgs: serverArguments(memoryBytesMax) })
    forgetLostParts(keeper)
    return { keeper, connect: () => connect({ path }) }
  } catch (error) {
    throw asStoreError(error)
  }
}

const serverArguments = (memoryBytesMax: number): readonly string[] => [
  `--max_server_memory_usage=${memoryBytesMax}`,
  '--mark_cache_size=134217728',
  '--primary_index_cache_size=134217728',
  '--background_pool_size=1',
  `--max_memory_usage=${Math.floor(memoryBytesMax * 0.65)}`,
  `--max_bytes_before_external_group_by=${Math.floor(memoryBytesMax * 0.2)}`,
  `--max_bytes_before_external_sort=${Math.floor(memoryBytesMax * 0.2)}`,
]

export const rethrow = (error: unknown): never => {
  throw asStoreError(error)
}

/** The engine's own code is in the error, or only at the head of its text when it came through a stream. */
const asStoreError = (error: unknown): StoreError => {
  if (error instanceof StoreError) return error
  const message = error instanceof Error ? error.message : String(error)
  const code = (error as { clickhouseCode?: number } | null)?.clickhouseCode ?? codeIn(message)
  const known = new StoreError(code, message)
  known.cause = error
  return known
}

const codeIn = (message: string): number => Number(/^Code: (\d+)/.exec(message)?.[1] ?? 0)
