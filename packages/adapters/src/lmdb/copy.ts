import { mkdir } from 'node:fs/promises'
import { open } from 'lmdb'

/**
 * Copies the environment of `dir` into the new folder `to`, of one moment: lmdb reads it in one transaction, so whatever was
 * committed before the call is in it, also while another process of this machine goes on writing. Nothing in `dir` is changed.
 */
export const copyLmdb = async (dir: string, to: string): Promise<void> => {
  await mkdir(to, { recursive: true })
  const environment = open<Buffer, Buffer>(dir, { encoding: 'binary', keyEncoding: 'binary', readOnly: true, overlappingSync: false })
  try {
    await environment.backup(to, false)
  } finally {
    await environment.close()
  }
}
