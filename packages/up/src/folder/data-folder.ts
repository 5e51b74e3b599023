import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileFault, StartFault } from './fault.ts'

/** The form of the data folder that this build reads and writes. */
const FOLDER_VERSION = 1

/** Brings a folder from version `from` to `from + 1`. May run again after a crash in its middle. */
export interface FolderMigration {
  readonly from: number
  run(folder: string): Promise<void>
}

/** Forward only; a row is never changed once released. Version 1 is the first, so there is none yet. */
const folderMigrations: readonly FolderMigration[] = []

export interface FolderForm {
  readonly version: number
  readonly migrations: readonly FolderMigration[]
}

/** What lies where in the folder. */
export const folderPaths = (folder: string) => ({
  version: join(folder, 'VERSION'),
  log: join(folder, 'log'),
  warehouse: join(folder, 'warehouse'),
  messages: join(folder, 'millrace.log'),
})

/**
 * Makes the folder, or checks that this build can open it; an older one is migrated forward.
 * Holding the folder against other processes comes before it. @throws StartFault
 */
export const openDataFolder = async (
  folder: string,
  form: FolderForm = { version: FOLDER_VERSION, migrations: folderMigrations },
): Promise<{ readonly fresh: boolean; readonly migratedFrom: number | null }> => {
  try {
    await mkdir(folder, { recursive: true })
    await proveWritable(folder)
    const found = await versionOf(folder)
    if (found === null) await writeVersion(folder, form.version)
    else if (found > form.version) {
      throw new StartFault(`The data folder ${folder} was written by a newer Millrace (its VERSION is ${found}, this one reads ${form.version}): start the newer one, or choose another with --data-dir.`)
    } else if (found < form.version) await migrate(folder, found, form)
    return { fresh: found === null, migratedFrom: found !== null && found < form.version ? found : null }
  } catch (error) {
    throw fileFault(folder, error) ?? error
  }
}

const versionOf = async (folder: string): Promise<number | null> => {
  const text = await readFile(folderPaths(folder).version, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) {
    const others = (await readdir(folder)).filter((name) => !KNOWN_BEFORE_VERSION.test(name))
    if (others.length === 0) return null
    throw new StartFault(`The data folder ${folder} holds ${others.slice(0, 3).join(', ')} but no VERSION: it is not a Millrace folder, or it is broken; choose another with --data-dir, or restore it from a backup.`)
  }
  const version = Number(text)
  if (Number.isInteger(version) && version > 0) return version
  throw new StartFault(`The data folder ${folder} is broken: its VERSION is not a number; restore it from a backup, or choose another with --data-dir.`)
}

/** What a start leaves when it is killed before it wrote VERSION, and what file managers add. */
const KNOWN_BEFORE_VERSION = /^(VERSION\.next|\.write-test|millrace\.log|\.DS_Store|lost\+found)$/

const migrate = async (folder: string, from: number, { version, migrations }: FolderForm): Promise<void> => {
  for (let at = from; at < version; at++) {
    const step = migrations.find((migration) => migration.from === at)
    if (!step) throw new StartFault(`The data folder ${folder} is of version ${from}, and this Millrace knows no way from ${at} to ${at + 1}.`)
    await step.run(folder)
    await writeVersion(folder, at + 1)
  }
}

/** On disk under another name first: a crash leaves the old version or the new one, never half. */
const writeVersion = async (folder: string, version: number): Promise<void> => {
  const { version: path } = folderPaths(folder)
  const file = await open(`${path}.next`, 'w')
  try {
    await file.writeFile(`${version}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.next`, path)
}

const proveWritable = async (folder: string): Promise<void> => {
  const path = join(folder, '.write-test')
  await (await open(path, 'w')).close()
  await rm(path, { force: true })
}
