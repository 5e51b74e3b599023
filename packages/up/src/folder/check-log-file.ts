import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { StartFault } from './fault.ts'

/** Where the two first pages of lmdb's file hold what the file is: written in turn, the greater transaction counts. */
const META = { magic: 24, pageBytes: 48, lastPage: 144, transaction: 152, bytes: 160 } as const
const MAGIC = 0xbeefc0de
/** Pages at the end that a transaction took and gave back are never written. */
const UNWRITTEN_PAGES_MAX = 256

/**
 * Looks at the head of lmdb's file before lmdb does: it maps the file into memory, and a file that is none of its own
 * or was cut ends the whole process with a signal, and no word. @throws StartFault
 */
export const checkLogFile = async (folder: string, logFolder: string): Promise<void> => {
  const file = await open(join(logFolder, 'data.mdb')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (!file) return
  try {
    const { size } = await file.stat()
    const read = async (position: number): Promise<Buffer> => (await file.read(Buffer.alloc(META.bytes), 0, META.bytes, position)).buffer
    // A kill between making the file and writing its first page.
    if (size === 0) return
    const first = metaOf(await read(0))
    const second = first && metaOf(await read(first.pageBytes))
    if (!first || !second) throw broken(folder, 'its log is not a file of lmdb')
    const { lastPage, pageBytes } = first.transaction > second.transaction ? first : second
    if (size < (lastPage + 1 - UNWRITTEN_PAGES_MAX) * pageBytes) throw broken(folder, 'the end of its log is missing')
  } finally {
    await file.close()
  }
}

const metaOf = (page: Buffer): { pageBytes: number; lastPage: number; transaction: number } | null => {
  const pageBytes = page.readUInt32LE(META.pageBytes)
  if (page.readUInt32LE(META.magic) !== MAGIC || pageBytes < 512 || pageBytes > 65_536) return null
  return { pageBytes, lastPage: Number(page.readBigUInt64LE(META.lastPage)), transaction: Number(page.readBigUInt64LE(META.transaction)) }
}

const broken = (folder: string, how: string): StartFault =>
  new StartFault(`The data folder ${folder} is broken (${how}): restore it from a backup, or choose another with --data-dir.`)
