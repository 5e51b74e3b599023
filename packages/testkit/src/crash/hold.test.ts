import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openLmdb } from '@millrace/adapters'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTempFolder, type TempFolder } from '../temp-folder.ts'
import { startChild, type Child } from './child.ts'

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url))

describe('a data folder', () => {
  let folder: TempFolder
  beforeEach(async () => {
    folder = await createTempFolder('hold')
  })
  afterEach(() => folder.remove())

  const start = async (): Promise<Child> => {
    const child = startChild(join(PACKAGE, 'dist/crash/hold-child.js'), [folder.path])
    await Promise.race([child.saw('open'), child.saw('held'), child.saw('failed')])
    return child
  }

  it('is refused with one clear error while another process has it, and free at once after kill -9', async () => {
    const first = await start()
    expect(first.lines).toEqual(['open'])
    const second = await start()
    expect(second.lines).toEqual(['held DATA_DIR_HELD'])
    await expect(openLmdb(folder.path)).rejects.toThrow(`the folder ${folder.path} is in use by another process`)
    first.process.kill('SIGKILL')
    await first.ended
    const root = await openLmdb(folder.path)
    await expect(openLmdb(folder.path)).rejects.toMatchObject({ code: 'DATA_DIR_HELD' })
    await root.close()
    await (await openLmdb(folder.path)).close()
  })

  it('goes to exactly one of many who want it after its holder was killed', async () => {
    for (let round = 0; round < 3; round++) {
      const racers = await Promise.all([1, 2, 3, 4].map(start))
      expect(racers.filter(({ lines }) => lines[0] === 'open')).toHaveLength(1)
      expect(racers.filter(({ lines }) => lines[0] === 'held DATA_DIR_HELD')).toHaveLength(3)
      for (const { process } of racers) process.kill('SIGKILL')
      await Promise.all(racers.map(({ ended }) => ended))
    }
    expect((await readdir(folder.path)).filter((name) => name.startsWith('holder.')).length).toBeLessThanOrEqual(2)
  })
})
