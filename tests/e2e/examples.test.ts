import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventually, type Millrace } from '../support/millrace.ts'
import { millraceForAll } from '../support/running.ts'
import { tourSteps, type TourStep } from '../support/tour.ts'
import { root } from '../tidy/source-tree.ts'

const steps = tourSteps(readFileSync(join(root, 'README.md'), 'utf8'))

describe('the tour of the README', () => {
  const running = millraceForAll()

  it('prints what it says, command by command, in one shell', async () => {
    expect(steps.length).toBeGreaterThan(4)
    const { code, printed } = await paste(running.millrace, steps)
    console.log(`tour: ${printed.length} of ${steps.length} steps pasted, ${steps.flatMap(({ shown }) => shown).length} outputs looked for`)
    const missing = steps.flatMap(({ line, shown }, index) => shown.filter((text) => !printed[index]?.includes(text)).map((text) => ({ line, missing: text, printed: printed[index] })))
    expect(missing).toEqual([])
    expect(code).toBe(0)
  })
})

/** All steps in one bash, as in one terminal; it ends at the first command that fails. */
const paste = async (millrace: Millrace, tour: readonly TourStep[]): Promise<{ code: number; printed: readonly string[] }> => {
  const mark = `--${randomBytes(8).toString('hex')}--`
  // Where a reader waits two seconds, the test waits until it is so, however busy the machine is.
  const stored = [...STORED]
  const gate = createServer((_request, answer) => void untilArrived(millrace, stored.shift() ?? 0).then(() => answer.end(), (error: Error) => answer.writeHead(500).end(error.message)))
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve))
  const wait = `sleep() { curl -sf http://127.0.0.1:${(gate.address() as AddressInfo).port}; }`
  const script = ['set -e', wait, ...tour.flatMap(({ commands }) => [`echo ${mark}`, commands])].join('\n')
  const env = { ...process.env, URL: millrace.url, SQL: millrace.clickhouseUrl, WRITE_KEY: millrace.writeKey, API_KEY: millrace.apiKey }
  const child = spawn('bash', ['-c', script], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += String(chunk)))
  const code = await new Promise<number>((resolve) => child.once('close', (ended) => resolve(ended ?? 1)))
  gate.close()
  return { code, printed: text.split(`${mark}\n`).slice(1) }
}

/** Events that are stored at each wait of the tour. */
const STORED = [4, 6]

/** What the tour has sent is in the ledger, in SQL, and in the segment. */
const untilArrived = async ({ api, sql }: Millrace, events: number): Promise<void> => {
  await eventually(() => api<{ total: { stored: number; pending: number } }>('/api/ledger'), ({ total }) => total.stored === events && total.pending === 0)
  await eventually(() => sql<{ people: number }>('SELECT uniqExact(person_id) AS people FROM events'), ([row]) => Number(row!.people) === 1)
  await eventually(() => sql<{ members: number }>('SELECT count() AS members FROM memberships'), ([row]) => Number(row!.members) === 1)
}
