import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { folderPaths } from '../folder/data-folder.ts'
import { requireEmpty } from '../replay/target.ts'
import { twoFolders } from './backup.ts'
import { finishFolder, runReplayProgram } from '../replay/programs.ts'
import { backupPaths, differences, type Manifest, readManifest, syncAll } from './manifest.ts'
import { readFlags } from './place.ts'
import { type Terminal, type Verb } from './usage.ts'

const HELP = `Usage: npm run ops -- restore --from BACKUP --to FOLDER

Makes a data folder of a backup, after each file was found to be as it was. The backup is not changed.
Of a running Millrace's log the rest is folded again, as npm run replay does: that takes the longer, the longer the log.

  --from BACKUP      what npm run ops -- backup has made
  --to FOLDER        an empty folder, or one that is not there; then npm start -- --data-dir FOLDER
`

export const restore: Verb = {
  help: HELP,
  run: async (args, terminal) => {
    const { from, to } = twoFolders(readFlags(args, { from: { type: 'string' }, to: { type: 'string' } }), 'from')
    const manifest = await readManifest(from)
    await requireEmpty(to, 'a restore')
    const { data } = backupPaths(from)
    const wrong = await differences(data, manifest)
    if (wrong.length > 0) throw new Error(`The backup ${from} is damaged: ${wrong.slice(0, 5).join(', ')}${wrong.length > 5 ? ` and ${wrong.length - 5} more` : ''}.`)
    const code = manifest.kind === 'folder' ? await putBack(data, to, manifest) : await foldAgain(data, to)
    if (code === 0) terminal.out(`Restored what was taken at ${manifest.takenAt}: ${from} → ${to}`)
    else tellHalf(terminal, to)
    return code
  },
}

const tellHalf = ({ err }: Terminal, to: string): void => err(`Nothing whole was restored: remove ${to} before the next try.`)

/** VERSION comes last: until then a start refuses the folder. */
const putBack = async (data: string, to: string, manifest: Manifest): Promise<number> => {
  const { version } = folderPaths(data)
  await cp(data, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true, filter: (path) => path !== version })
  await cp(version, `${folderPaths(to).version}.of-backup`)
  await syncAll(to)
  await rename(`${folderPaths(to).version}.of-backup`, folderPaths(to).version)
  const wrong = await differences(to, manifest)
  if (wrong.length > 0) throw new Error(`The copy differs from the backup: ${wrong.slice(0, 5).join(', ')}.`)
  return 0
}

/**
 * Beside the target, the log's copy first handles what was not handled yet (it is recorded nowhere else), over a warehouse
 * that holds nothing else and is thrown away; then all of it is folded into the target.
 */
const foldAgain = async (data: string, to: string): Promise<number> => {
  await mkdir(dirname(to), { recursive: true })
  const aside = await mkdtemp(join(dirname(to), `.${basename(to)}-restore-`))
  try {
    const copy = join(aside, 'data')
    await cp(data, copy, { recursive: true })
    return (await finishFolder(copy, '--log-alone')) || (await runReplayProgram('main.js', ['--from', copy, '--to', to]))
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}
