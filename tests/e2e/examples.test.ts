import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startMillrace, type Millrace } from '../support/millrace.ts'
import { tourSteps, type TourStep } from '../support/tour.ts'
import { root } from '../tidy/source-tree.ts'

const steps = tourSteps(readFileSync(join(root, 'README.md'), 'utf8'))

describe('the tour of the README', () => {
  let millrace: Millrace
  beforeAll(async () => {
    millrace = await startMillrace()
  })
  afterAll(async () => {
    await millrace?.stop()
    millrace?.remove()
  })

  it('prints what it says, command by command, in one shell', async () => {
    expect(steps.length).toBeGreaterThan(4)
    const { code, printed } = await paste(millrace, steps)
    console.log(`tour: ${printed.length} of ${steps.length} steps pasted, ${steps.flatMap(({ shown }) => shown).length} outputs looked for`)
    const missing = steps.flatMap(({ line, shown }, index) => shown.filter((text) => !printed[index]?.includes(text)).map((text) => ({ line, missing: text, printed: printed[index] })))
    expect(missing).toEqual([])
    expect(code).toBe(0)
  })
})

/** All steps in one bash, as in one terminal; it ends at the first command that fails. */
const paste = async ({ url, clickhouseUrl, writeKey, apiKey }: Millrace, tour: readonly TourStep[]): Promise<{ code: number; printed: readonly string[] }> => {
  const mark = `--${randomBytes(8).toString('hex')}--`
  // What the tour waits for takes longer on a machine that runs other tests.
  const script = ['set -e', 'sleep() { command sleep $(($1 * 4)); }', ...tour.flatMap(({ commands }) => [`echo ${mark}`, commands])].join('\n')
  const child = spawn('bash', ['-c', script], { env: { ...process.env, URL: url, SQL: clickhouseUrl, WRITE_KEY: writeKey, API_KEY: apiKey }, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += String(chunk)))
  const code = await new Promise<number>((resolve) => child.once('close', (ended) => resolve(ended ?? 1)))
  return { code, printed: text.split(`${mark}\n`).slice(1) }
}
