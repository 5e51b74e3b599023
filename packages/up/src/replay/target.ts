import { mkdir, readdir, rename } from 'node:fs/promises'
import { folderPaths } from '../folder/data-folder.ts'
import { fileFault, StartFault } from '../folder/fault.ts'

/** @throws StartFault unless the folder is empty or not there */
export const requireEmpty = async (folder: string, what = 'a replay'): Promise<void> => {
  try {
    await mkdir(folder, { recursive: true })
    const [first] = await readdir(folder)
    if (first !== undefined) throw new StartFault(`The folder ${folder} is not empty (it holds ${first}): ${what} needs an empty one, or one that is not there.`)
  } catch (error) {
    throw fileFault(folder, error) ?? error
  }
}

/**
 * A folder that is half filled must not pass for a whole one: until `finished` it has no VERSION, so a start refuses it.
 */
export const markUnfinished = async (folder: string): Promise<{ finished(): Promise<void> }> => {
  const { version } = folderPaths(folder)
  const aside = `${version}.of-replay`
  await rename(version, aside)
  return { finished: () => rename(aside, version) }
}
