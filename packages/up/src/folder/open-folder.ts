import { createChdbStore, DataDirHeld } from '@millrace/adapters'
import { StoreError, type Clock, type ColumnStore } from '@millrace/ports'
import { migrate } from '@millrace/warehouse'
import { createEmbedded, type Embedded } from '@millrace/wiring'
import type { UpConfig } from '../config.ts'
import type { Probe } from '../probe/kill-probe.ts'
import { checkLogFile } from './check-log-file.ts'
import { checkWarehouse } from './check-warehouse.ts'
import { folderPaths, openDataFolder } from './data-folder.ts'
import { fileFault, StartFault } from './fault.ts'
import { holdFolder } from './hold.ts'

export type Ports = Omit<Embedded, 'close'> & { readonly columns: ColumnStore }

export interface Opened {
  readonly ports: Ports
  /** Safe to call again. */
  close(): Promise<void>
}

/** A warehouse that had none was empty. */
const FIRST_MIGRATION = '0001'

/** Statements at once: each holds a thread of the pool, which has 16. */
const CLIENTS = 4

export interface OpenOptions {
  readonly clock?: Clock | undefined
  readonly probe?: Probe | undefined
  /** The folder is a copy of a log without its warehouse, and what is stored in the new one is of no use. */
  readonly logAlone?: boolean
}

/** The folder held, of this build's version, and all that lies in it open. @throws StartFault */
export const openFolder = async (
  { dataDir, sync }: Pick<UpConfig, 'dataDir' | 'sync'>,
  { clock, probe, logAlone = false }: OpenOptions,
): Promise<Opened> => {
  const closers: (() => Promise<void>)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    closers.push((await holdFolder(dataDir)).release)
    await openDataFolder(dataDir)
    await checkLogFile(dataDir, folderPaths(dataDir).log)
    const embedded = await createEmbedded({ dataDir, clock, probe, syncMode: sync })
    closers.push(embedded.close)
    const columns = createChdbStore({ path: folderPaths(dataDir).warehouse, clients: CLIENTS, ...(probe ? { probe } : {}) })
    closers.push(columns.close)
    const { applied } = await migrate(columns)
    if (!logAlone) await checkWarehouse(dataDir, embedded.log, columns, applied.some((name) => name.startsWith(FIRST_MIGRATION)))
    return { ports: { ...embedded, columns }, close }
  } catch (error) {
    await close()
    throw faultOf(dataDir, error)
  }
}

/** The sentence for whatever a folder can have wrong; what is none of these is a fault of ours and goes on as it is. */
const faultOf = (folder: string, error: unknown): unknown => {
  if (error instanceof StartFault) return error
  const message = error instanceof Error ? error.message.split('\n', 1)[0]! : String(error)
  if (error instanceof DataDirHeld || message.includes('Cannot lock file')) return heldFault(folder)
  const file = fileFault(folder, error)
  if (file) return file
  if (error instanceof StoreError || BROKEN.test(message)) {
    return new StartFault(`The data folder ${folder} is broken (${message.slice(0, 200)}): restore it from a backup, or choose another with --data-dir.`)
  }
  return error
}

const heldFault = (folder: string): StartFault =>
  new StartFault(`The data folder ${folder} is in use by another Millrace: stop that one, or choose another folder with --data-dir.`)

/** How lmdb tells of a file that is none of its own, or cut. */
const BROKEN = /MDB_|Invalid argument|not a(n)? LMDB file|corrupt|truncated/i
