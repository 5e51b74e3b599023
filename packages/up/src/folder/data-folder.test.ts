import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDataFolder, type FolderMigration } from './data-folder.ts'
import { holdFolder } from './hold.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-folder-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const version = (): Promise<string> => readFile(join(folder, 'VERSION'), 'utf8')

describe('the data folder', () => {
  it('is made with its version, and opened again', async () => {
    expect(await openDataFolder(folder)).toEqual({ fresh: true, migratedFrom: null })
    expect(await version()).toBe('1\n')
    expect(await openDataFolder(folder)).toEqual({ fresh: false, migratedFrom: null })
  })

  it('of a newer version is refused and left as it is', async () => {
    await writeFile(join(folder, 'VERSION'), '2\n')
    await expect(openDataFolder(folder)).rejects.toThrow('newer Millrace')
    expect(await version()).toBe('2\n')
  })

  it('with a VERSION that is no number is called broken', async () => {
    await writeFile(join(folder, 'VERSION'), 'one')
    await expect(openDataFolder(folder)).rejects.toThrow('broken')
  })

  it('that holds something else is not taken', async () => {
    await writeFile(join(folder, 'letters.txt'), 'dear')
    await expect(openDataFolder(folder)).rejects.toThrow('letters.txt')
  })

  it('of an older version is migrated step by step, and goes on where a crash stopped it', async () => {
    await writeFile(join(folder, 'VERSION'), '1\n')
    const ran: number[] = []
    let crash = true
    const step = (from: number): FolderMigration => ({
      from,
      run: async () => {
        if (from === 2 && crash) throw new Error('crash')
        ran.push(from)
      },
    })
    const form = { version: 3, migrations: [step(1), step(2)] }
    await expect(openDataFolder(folder, form)).rejects.toThrow('crash')
    expect(await version()).toBe('2\n')
    crash = false
    expect(await openDataFolder(folder, form)).toEqual({ fresh: false, migratedFrom: 2 })
    expect(ran).toEqual([1, 2])
    expect(await version()).toBe('3\n')
  })

  it('is held by one at a time', async () => {
    const first = await holdFolder(folder)
    await expect(holdFolder(folder)).rejects.toThrow('in use by another Millrace')
    await first.release()
    await (await holdFolder(folder)).release()
  })
})
