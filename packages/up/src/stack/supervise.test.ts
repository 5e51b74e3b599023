import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createProcessList, endLeftovers } from './leftovers.ts'
import { supervise, type Supervisor } from './supervise.ts'

const watched = () => {
  const told: string[] = []
  const waiting: [count: number, resolve: () => void][] = []
  const tell = (text: string): void => {
    told.push(text)
    for (const [count, resolve] of waiting) if (told.length >= count) resolve()
  }
  const supervisor: Supervisor = {
    onLine: (_name, line) => tell(line),
    onStarted: () => {},
    onEnded: (_name, { how, backOffMs }) => tell(backOffMs === null ? `${how}, stopped` : `${how}, again in ${backOffMs}`),
  }
  return { told, supervisor, until: (count: number) => new Promise<void>((resolve) => (told.length >= count ? resolve() : void waiting.push([count, resolve]))) }
}

const planOf = (script: string, ...args: string[]) => ({ name: 'child', command: process.execPath, args: ['-e', script, ...args], env: process.env })

it('starts a process again when it ends, with a pause that grows', async () => {
  const { told, supervisor, until } = watched()
  const child = supervise(planOf('console.log("here"); process.exit(3)'), supervisor)
  await until(4)
  expect(await child.stop()).toBe(true)
  expect(told.filter((line) => line.startsWith('code')).slice(0, 2)).toEqual(['code 3, again in 250', 'code 3, again in 500'])
})

it('stops it for good, and kills what does not end by itself only behind the bound', async () => {
  const { told, supervisor, until } = watched()
  const child = supervise(planOf('process.on("SIGTERM", () => { console.log("stopping"); process.exit(0) }); console.log("here"); setInterval(() => {}, 1000)'), supervisor)
  await until(1)
  expect(await child.stop()).toBe(true)
  expect(child.pid()).toBeNull()
  expect(told).toEqual(['here', 'stopping', 'code 0, stopped'])
})

it('ends what a killed start has left on its folder, and nothing else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-left-'))
  const { supervisor, until } = watched()
  const sleeper = 'console.log("here"); setInterval(() => {}, 1000)'
  const [own, other] = [supervise(planOf(sleeper, folder), { ...supervisor, onEnded: () => {} }), supervise(planOf(sleeper), supervisor)]
  await until(2)
  const list = createProcessList(folder)
  list.set('own', own.pid())
  list.set('other', other.pid())
  list.set('gone', null)
  expect(Object.keys(JSON.parse(readFileSync(join(folder, 'processes.json'), 'utf8')) as object)).toEqual(['own', 'other'])
  expect(await endLeftovers(folder)).toEqual(['own'])
  expect(other.pid()).not.toBeNull()
  writeFileSync(join(folder, 'processes.json'), '{"cut')
  expect(await endLeftovers(folder)).toEqual([])
  await Promise.all([own.stop(), other.stop()])
  rmSync(folder, { recursive: true })
})
