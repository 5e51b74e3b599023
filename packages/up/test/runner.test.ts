import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { cleanUp, newFolder } from './child.ts'

interface Machine {
  readonly node: string
  readonly platform: string
  readonly arch: string
  readonly glibc: string | undefined
}

// Plain JavaScript: it runs before anything is installed.
const load = async <Exports>(name: string): Promise<Exports> => (await import(new URL(`../../../infra/local/${name}`, import.meta.url).href)) as Exports
const { unserved } = await load<{ unserved(machine: Machine): string | null }>('platform.mjs')
const { lacking, missingBuilds } = await load<{ lacking(root: string): string[]; missingBuilds(root: string, system: object): string[] }>('install.mjs')

afterAll(cleanUp)

describe('the runner', () => {
  it('says in one sentence, before it installs, when Millrace does not run here', () => {
    const machine = { node: '22.1.0', platform: 'linux', arch: 'x64', glibc: '2.36' }
    expect(unserved(machine)).toBeNull()
    expect(unserved({ ...machine, platform: 'darwin', arch: 'arm64', glibc: undefined })).toBeNull()
    expect(unserved({ ...machine, node: '20.18.3' })).toMatch(/needs Node\.js 20\.19 or newer.*\.$/)
    expect(unserved({ ...machine, glibc: undefined })).toMatch(/this is Linux on x64 without glibc.*\.$/)
    expect(unserved({ ...machine, platform: 'win32' })).toMatch(/this is win32 on x64.*\.$/)
    expect(unserved({ ...machine, arch: 'riscv64' })).toMatch(/this is linux on riscv64.*\.$/)
  })

  it('installs what is missing or of another version, and the builds for this system that the lock file does not name', async () => {
    const root = await newFolder()
    const packages = {
      'node_modules/a': { version: '2.0.0' },
      'node_modules/b': { version: '1.0.0', optionalDependencies: { 'b-linux-x64-gnu': '1.0.0', 'b-darwin-arm64': '1.0.0', '@b/linux-64': '1.0.0' } },
      'node_modules/c': { version: '1.0.0', optional: true },
    }
    await writeFile(join(root, 'package-lock.json'), JSON.stringify({ packages }))
    expect(lacking(root)).toEqual(['node_modules/a', 'node_modules/b'])
    for (const name of ['a', 'b', 'b-linux-x64-gnu']) await mkdir(join(root, 'node_modules', name), { recursive: true })
    await writeFile(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages: { ...packages, 'node_modules/a': { version: '1.0.0' } } }))
    expect(lacking(root)).toEqual(['node_modules/a'])
    expect(missingBuilds(root, { platform: 'linux', arch: 'x64' })).toEqual(['@b/linux-64@1.0.0'])
    expect(missingBuilds(root, { platform: 'darwin', arch: 'arm64' })).toEqual(['b-darwin-arm64@1.0.0'])
  })
})
