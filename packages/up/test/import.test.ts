import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, newFolder, screenOf, start, until } from './child.ts'

const MAIN = fileURLToPath(new URL('../dist/import/main.js', import.meta.url))

afterEach(cleanUp)

const run = (...args: readonly string[]): { code: number | null; text: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 180_000 })
  return { code: status, text: stdout + stderr }
}

describe('npm run import, into a running Millrace', () => {
  it('counts each line once, however often the file is imported, and tells the lines that were refused', async () => {
    const folder = await newFolder()
    const child = start(join(folder, 'data'), ['--write-key', 'write-key-1', '--api-key', 'api-key-1'])
    const { url } = await screenOf(child)
    const rows = Array.from({ length: 1200 }, (_, index) => `user_${index % 300},view,2024-03-13T10:${String(index % 60).padStart(2, '0')}:14Z,desktop`)
    rows[7] = 'user_7,,2024-03-13T10:00:00Z,desktop'
    rows[8] = 'user_8,view,1999-03-13T10:00:00Z,desktop'
    const text = `user_id,event,timestamp,platform\n${rows.join('\n')}\n`
    const [plain, packed] = [join(folder, 'events.csv'), join(folder, 'again.csv.gz')]
    await writeFile(plain, text)
    await writeFile(packed, gzipSync(text))

    for (const file of [plain, packed]) {
      const { code, text: told } = run(file, '--url', url, '--write-key', 'write-key-1')
      expect(told).toContain('Sent 1,200 events')
      expect(told).toContain('line 9: EVENT_NAME_MISSING')
      expect(told).toContain('line 10: TOO_OLD')
      expect(code).toBe(0)
    }
    expect((await readFile(`${plain}.refused.ndjson`, 'utf8')).trim().split('\n')).toHaveLength(2)
    const total = async (): Promise<Record<string, number>> =>
      ((await (await fetch(`${url}/api/ledger`, { headers: { authorization: 'Bearer api-key-1' } })).json()) as { total: Record<string, number> }).total
    await until(async () => (await total())['pending'] === 0, child)
    expect(await total()).toMatchObject({ received: 2400, stored: 1198, duplicate: 1198, rejected: 4 })
  })

  it('ends with code 1 and a sentence when something is wrong', async () => {
    const folder = await newFolder()
    const file = join(folder, 'events.ndjson')
    await writeFile(file, '{"type":"track","event":"A","userId":"u"}\n')
    for (const [args, part] of [
      [[], 'name the file to import'],
      [[file], '--write-key is missing'],
      [[file, '--write-key', 'w', '--bogus'], "Unknown option '--bogus'"],
      [[join(folder, 'nowhere.csv'), '--write-key', 'w'], 'nowhere.csv'],
    ] as const) {
      const { code, text } = run(...args)
      expect(text).toContain(part)
      expect(code).toBe(1)
    }
    const child = start(join(folder, 'data'))
    const { url } = await screenOf(child)
    const { code, text } = run(file, '--url', url, '--write-key', 'wrong-key')
    expect(text).toContain('answered 401')
    expect(code).toBe(1)
    expect(existsSync(`${file}.refused.ndjson`)).toBe(false)
  })
})
