import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDataFolder } from '../folder/data-folder.ts'
import { markUnfinished, requireEmpty } from './target.ts'

describe('the folder that a replay fills', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-target-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('is made when it is not there, and refused when something is in it', async () => {
    await requireEmpty(join(folder, 'new'))
    await expect(requireEmpty(folder)).rejects.toThrow('is not empty (it holds new)')
    await writeFile(join(folder, 'file'), '')
    await expect(requireEmpty(join(folder, 'file'))).rejects.toThrow('it is a file, not a folder')
  })

  it('does not pass for a whole one before the replay is over', async () => {
    await openDataFolder(folder)
    const { finished } = await markUnfinished(folder)
    await expect(openDataFolder(folder)).rejects.toThrow('but no VERSION')
    await finished()
    await expect(openDataFolder(folder)).resolves.toMatchObject({ fresh: false })
  })
})
