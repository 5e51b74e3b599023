import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, open, readdir, readFile, readlink, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const MANIFEST_VERSION = 1

const manifest = z.object({
  version: z.literal(MANIFEST_VERSION, { error: 'this build reads backups of version 1' }),
  /** `folder`: everything, of a stopped Millrace. `log`: the log alone, of a running one; the rest is folded from it. */
  kind: z.enum(['folder', 'log']),
  takenAt: z.string(),
  files: z.array(z.object({
    path: z.string(),
    bytes: z.number(),
    /** Of the content; of a link, of where it leads. */
    sha256: z.string(),
  })),
})
export type Manifest = z.infer<typeof manifest>

export const backupPaths = (backup: string) => ({ manifest: join(backup, 'backup.json'), data: join(backup, 'data') })

/** Written last, on disk, under another name first: a backup that was cut short has none. */
export const writeManifest = async (backup: string, made: Omit<Manifest, 'version' | 'files'>): Promise<Manifest> => {
  const paths = backupPaths(backup)
  const whole: Manifest = { version: MANIFEST_VERSION, ...made, files: await listFiles(paths.data) }
  const file = await open(`${paths.manifest}.next`, 'w')
  try {
    await file.writeFile(`${JSON.stringify(whole, null, 1)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${paths.manifest}.next`, paths.manifest)
  return whole
}

/** @throws Error in one sentence */
export const readManifest = async (backup: string): Promise<Manifest> => {
  const text = await readFile(backupPaths(backup).manifest, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw new Error(`${backup} is no whole backup: it has no backup.json.`)
    throw error
  })
  const parsed = manifest.safeParse(parse(text))
  if (!parsed.success) throw new Error(`${backup} cannot be read: its backup.json is damaged or of another version (${parsed.error.issues[0]?.message ?? ''}).`)
  return parsed.data
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** How the files of a folder differ from the list, in parts of sentences; none: they are the same. */
export const differences = async (folder: string, { files }: Manifest): Promise<readonly string[]> => {
  const found = new Map((await listFiles(folder)).map((file) => [file.path, file]))
  const listed = new Set(files.map(({ path }) => path))
  return [
    ...files.flatMap(({ path, bytes, sha256 }) => {
      const there = found.get(path)
      if (!there) return [`${path} is missing`]
      return there.bytes === bytes && there.sha256 === sha256 ? [] : [`${path} is not as it was`]
    }),
    ...[...found.keys()].filter((path) => !listed.has(path)).map((path) => `${path} was not in the backup`),
  ]
}

/** All files and links below a folder, in order of their paths. */
const listFiles = async (folder: string): Promise<Manifest['files']> => {
  const files: Manifest['files'] = []
  for (const entry of (await readdir(folder, { recursive: true })).map((path) => path.replaceAll('\\', '/')).sort()) {
    const path = join(folder, entry)
    const about = await lstat(path)
    if (about.isSymbolicLink()) files.push({ path: entry, bytes: 0, sha256: hashed(await readlink(path)) })
    else if (about.isFile()) files.push({ path: entry, bytes: about.size, sha256: await hashOf(path) })
  }
  return files
}

const hashed = (text: string): string => createHash('sha256').update(text).digest('hex')

const hashOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** What a copy has in the system's memory goes to the disk, files and folders. */
export const syncAll = async (folder: string): Promise<void> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const path of [...entries.filter((entry) => entry.isFile() || entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name)), folder]) {
    const file = await open(path, 'r')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  }
}
