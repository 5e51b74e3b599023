import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engines } from './plan.ts'

/** Where everything of a running stack on this machine answers. */
export interface Addresses {
  readonly url: string
  readonly processes: readonly { readonly name: string; readonly url: string }[]
  readonly engines: Engines
}

const pathOf = (folder: string): string => join(folder, 'addresses.json')

/** For `npm run ops`: ports are new at each start. ClickHouse's password is in it, so nobody else may read it. */
export const writeAddresses = async (folder: string, addresses: Addresses): Promise<void> => {
  const next = `${pathOf(folder)}.next`
  await rm(next, { force: true })
  await writeFile(next, `${JSON.stringify(addresses, null, 2)}\n`, { mode: 0o600 })
  await rename(next, pathOf(folder))
}

export const removeAddresses = (folder: string): Promise<void> => rm(pathOf(folder), { force: true })

/** Null when no stack runs in the folder. */
export const readAddresses = async (folder: string): Promise<Addresses | null> => {
  const text = await readFile(pathOf(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  return text === null ? null : (JSON.parse(text) as Addresses)
}
