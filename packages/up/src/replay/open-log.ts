import { stat } from 'node:fs/promises'
import type { Clock } from '@millrace/ports'
import { createEmbedded, type Embedded } from '@millrace/wiring'
import { checkLogFile } from '../folder/check-log-file.ts'
import { folderPaths, openDataFolder } from '../folder/data-folder.ts'
import { StartFault } from '../folder/fault.ts'
import { holdFolder } from '../folder/hold.ts'

/** The log and the state of a stopped Millrace, without its warehouse. @throws StartFault */
export const openLog = async (dataDir: string, clock: Clock): Promise<Embedded> => {
  await requireFolder(dataDir)
  const hold = await holdFolder(dataDir)
  try {
    await openDataFolder(dataDir)
    await checkLogFile(dataDir, folderPaths(dataDir).log)
    const embedded = await createEmbedded({ dataDir, clock })
    const close = async (): Promise<void> => {
      await embedded.close()
      await hold.release()
    }
    return { ...embedded, close }
  } catch (error) {
    await hold.release()
    throw error
  }
}

/** Opening would make a folder that is not there. @throws StartFault */
export const requireFolder = async (dataDir: string): Promise<void> => {
  const found = await stat(folderPaths(dataDir).version).catch(() => null)
  if (!found) throw new StartFault(`${dataDir} is no data folder of Millrace: it has no VERSION.`)
}
