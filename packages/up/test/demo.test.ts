import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { afterAll, expect, it } from 'vitest'
import { cleanUp, newFolder, screenOf, start, until } from './child.ts'

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const FILL_MS_MAX = 540_000

afterAll(cleanUp)

it('fills itself with the demo shop, whose totals every answer gives, and the page shows', { timeout: FILL_MS_MAX + 60_000 }, async () => {
  const folder = await newFolder()
  const child = start(folder, ['--demo', '--api-key', 'api-key-1'])
  const { url, clickhouse, link } = await screenOf(child)
  await until(() => child.output().includes('The demo shop is in'), child, FILL_MS_MAX)
  expect(child.output()).toContain('2,000 people, 49,360 events (1,482 of them late, and 951 sent twice), 3,225 orders of 854,720.40 CNY, 177 refunds')
  const ask = async (path: string): Promise<Record<string, unknown>> =>
    (await (await fetch(url + path, { headers: { authorization: 'Bearer api-key-1' } })).json()) as Record<string, unknown>
  expect(await ask('/api/ledger')).toMatchObject({ balanced: true, total: { received: 50_311, stored: 49_360, duplicate: 951, rejected: 0, pending: 0 } })
  const sql = `SELECT uniqExact(person_id), count(), countIf(event = 'Order Completed'), toString(sumIf(revenue, event = 'Order Completed')),
    countIf(event = 'Order Refunded'), (SELECT count() FROM millrace.people) FROM millrace.events FORMAT CSV`
  const answer = await fetch(clickhouse, { method: 'POST', body: sql, headers: { authorization: `Basic ${btoa('analyst:api-key-1')}` } })
  expect((await answer.text()).trim()).toBe('2000,49360,3225,"854720.4",177,2000')
  const { segments } = (await ask('/api/segments')) as { segments: readonly { size: number; state: string }[] }
  expect(segments.map(({ state }) => state)).toEqual(['live', 'live', 'live', 'live'])
  expect(Math.min(...segments.map(({ size }) => size))).toBeGreaterThan(0)
  if (existsSync(CHROMIUM)) expect(await shownBy(link)).toEqual({ people: '2,000', stored: '49,360', received: '50,311', faults: [] })

  child.kill('SIGTERM')
  expect(await child.ended).toBe(0)
  const again = start(folder, ['--demo', '--api-key', 'api-key-1'])
  await until(() => again.output().includes('is left as it is'), again)
})

/** What a browser shows that opens the link of the first screen, and what it complains of. */
const shownBy = async (link: string): Promise<unknown> => {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
  try {
    const page = await (await browser.newContext({ locale: 'en-GB' })).newPage()
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(error.message))
    await page.goto(link)
    const text = async (selector: string): Promise<string> => {
      await page.locator(selector).filter({ hasText: /\d/ }).waitFor()
      return (await page.locator(selector).textContent()) ?? ''
    }
    return { people: await text('[data-figure=people]'), stored: await text('[data-figure=stored]'), received: await text('[data-ledger=received]'), faults }
  } finally {
    await browser.close()
  }
}
