import { cp, mkdir, readdir, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { copyLmdb, createSystemClock, DataDirHeld } from '@millrace/adapters'
import { decodeHeader, decodeRecord, type ResolvedLine, topics } from '@millrace/contracts'
import { isBackfilling } from '@millrace/segmentation'
import { createEmbedded, type Embedded } from '@millrace/wiring'
import { checkLogFile } from '../folder/check-log-file.ts'
import { folderPaths } from '../folder/data-folder.ts'
import { holdFolder } from '../folder/hold.ts'
import { openLog, requireFolder } from '../replay/open-log.ts'
import { standingClock } from '../replay/standing-clock.ts'
import { requireEmpty } from '../replay/target.ts'
import { backupPaths, type Manifest, syncAll, writeManifest } from './manifest.ts'
import { readFlags } from './place.ts'
import { StartFault } from '../folder/fault.ts'
import { type Verb, WrongUsage } from './usage.ts'

const HELP = `Usage: npm run ops -- backup --data-dir FOLDER --to BACKUP

Copies the data folder of one process into an empty folder, with the SHA-256 of each file.
A stopped Millrace: everything, as it is. A running one: its log, of one moment, by lmdb's own copy, while it goes on;
the warehouse is folded from it when it is restored. All that was acknowledged before the command is in it.

  --data-dir FOLDER  data folder of npm start
  --to BACKUP        an empty folder, or one that is not there
`

export const backup: Verb = {
  help: HELP,
  run: async (args, { out }) => {
    const { from, to } = twoFolders(readFlags(args, { to: { type: 'string' } }), 'data-dir')
    await requireFolder(from)
    await requireEmpty(to, 'a backup')
    await mkdir(backupPaths(to).data, { recursive: true })
    const { kind, files } = await take(from, to)
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    out(`Backed up ${kind === 'folder' ? 'the whole stopped folder' : 'the log of a running Millrace'}: ${files.length} files, ${(bytes / 1024 ** 2).toFixed(1)} MiB, ${from} → ${to}`)
    return 0
  },
}

/** Two folders, neither in the other. @throws WrongUsage */
export const twoFolders = (flags: { readonly [name: string]: unknown }, source: 'data-dir' | 'from'): { readonly from: string; readonly to: string } => {
  const [given, target] = [flags[source], flags['to']]
  if (typeof given !== 'string' || typeof target !== 'string') throw new WrongUsage(`name both folders: --${source} and --to; --help says more`)
  const [from, to] = [resolve(given), resolve(target)]
  if (from === to || to.startsWith(from + sep) || from.startsWith(to + sep)) throw new WrongUsage('--to must be a folder beside the other one')
  return { from, to }
}

const take = async (from: string, to: string): Promise<Manifest> => {
  const hold = await holdFolder(from).catch((error: unknown) => {
    if (error instanceof StartFault) return null
    throw error
  })
  const takenAt = new Date(createSystemClock().now()).toISOString()
  try {
    if (hold) await copyStopped(from, backupPaths(to).data)
    else await copyRunning(from, backupPaths(to).data)
  } finally {
    await hold?.release()
  }
  await syncAll(backupPaths(to).data)
  return writeManifest(to, { kind: hold ? 'folder' : 'log', takenAt })
}

/** Who works in it, and since when it is free; each start writes its own. */
const OF_A_PROCESS = /^(holder\.\d+|\.holder-.*|lock\.mdb|millrace\.log.*|\.write-test|VERSION\.next)$/

/** Held meanwhile: no start on this machine can write to it. */
const copyStopped = async (from: string, data: string): Promise<void> => {
  await proveUnheld(folderPaths(from).log)
  await checkLogFile(from, folderPaths(from).log)
  const ofWarehouse = folderPaths(from).warehouse + sep
  await cp(from, data, {
    recursive: true, verbatimSymlinks: true, preserveTimestamps: true,
    filter: (path) => path.startsWith(ofWarehouse) || path === from || ![from, folderPaths(from).log].includes(dirname(path)) || !OF_A_PROCESS.test(basename(path)),
  })
}

/** From another container the hold is not seen; the log's own holder file is. @throws StartFault */
const proveUnheld = async (log: string): Promise<void> => {
  try {
    const embedded = await createEmbedded({ dataDir: dirname(log), clock: standingClock() })
    await embedded.close()
  } catch (error) {
    if (error instanceof DataDirHeld) throw new StartFault(`The data folder ${dirname(log)} is in use by a Millrace of another container: run the backup in that container, or stop it.`)
    throw error
  }
}

const copyRunning = async (from: string, data: string): Promise<void> => {
  await copyLmdb(folderPaths(from).log, folderPaths(data).log)
  await cp(folderPaths(from).version, folderPaths(data).version)
  const copy = await openLog(data, standingClock())
  try {
    if (await awaitsBackfill(copy)) throw new Error('A segment is being filled from the past just now, which only a whole folder can go on with: run the backup again when its state is live, or stop Millrace first. What was copied is no backup.')
  } finally {
    await copy.close()
  }
  for (const name of await readdir(folderPaths(data).log)) if (OF_A_PROCESS.test(name)) await rm(join(folderPaths(data).log, name))
}

const GROUP = 'segmentation'
const READ = { recordsMax: 2_000, bytesMax: 8 * 1024 * 1024 }

/**
 * The past of a new rule is computed by SQL, and the answer is recorded: of a log without its warehouse it would be computed
 * of nothing. So no rule may be waiting for it, nor be on its way to segmentation.
 */
const awaitsBackfill = async ({ log, hot }: Embedded): Promise<boolean> => {
  if (await isBackfilling(hot)) return true
  const { name } = topics.resolved
  for (const { partition, next } of await log.extents(name)) {
    for (let at = (await log.committed(GROUP, name, partition)).offset; at < next; ) {
      const records = await log.read(name, partition, at, READ)
      if (records.length === 0) break
      if (records.some(({ value }) => changesRule(value))) return true
      at = records.at(-1)!.offset + 1
    }
  }
  return false
}

const changesRule = (value: Uint8Array): boolean =>
  decodeHeader(value).kind === 'resolved' && decodeRecord(value).lines().some((line) => (JSON.parse(line.toString('utf8')) as ResolvedLine).type === 'rule.changed')
