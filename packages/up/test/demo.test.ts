import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { afterAll, expect, it } from 'vitest'
import { DEMO, makeShop } from '../src/demo/shop.ts'
import { cleanUp, newFolder, screenOf, start, until } from './child.ts'

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const FILL_MS_MAX = 540_000

afterAll(cleanUp)

/** The figures of 2,000 people are held by `shop.test.ts`; what a filling must keep, a smaller one must keep too. */
const PEOPLE = process.env['MILLRACE_LONG'] === '1' ? 2000 : 200
const DAY_MS = 86_400_000
const { totals } = makeShop({ ...DEMO, people: PEOPLE, until: Date.now() - (Date.now() % DAY_MS) })
const written = (count: number): string => count.toLocaleString('en')

it(`fills itself with the demo shop of ${PEOPLE} people, whose totals every answer gives, and the page shows`, { timeout: FILL_MS_MAX + 60_000 }, async () => {
  const folder = await newFolder()
  const child = start(folder, ['--demo', '--demo-people', String(PEOPLE), '--api-key', 'api-key-1'])
  const { url, clickhouse, link } = await screenOf(child)
  await until(() => child.output().includes('The demo shop is in'), child, FILL_MS_MAX)
  expect(child.output()).toContain(
    `${written(totals.people)} people, ${written(totals.events)} events (${written(totals.late)} of them late, and ${written(totals.repeats)} sent twice), ` +
    `${written(totals.orders)} orders of ${(totals.revenueFen / 100).toLocaleString('en', { minimumFractionDigits: 2 })} CNY, ${written(totals.refunds)} refunds`)
  const ask = async (path: string): Promise<Record<string, unknown>> =>
    (await (await fetch(url + path, { headers: { authorization: 'Bearer api-key-1' } })).json()) as Record<string, unknown>
  expect(await ask('/api/ledger')).toMatchObject({ balanced: true, total: { received: totals.events + totals.repeats, stored: totals.events, duplicate: totals.repeats, rejected: 0, pending: 0 } })
  const sql = `SELECT uniqExact(person_id), count(), countIf(event = 'Order Completed'), toString(sumIf(revenue, event = 'Order Completed')),
    countIf(event = 'Order Refunded'), (SELECT count() FROM millrace.people) FROM millrace.events FORMAT CSV`
  const answer = await fetch(clickhouse, { method: 'POST', body: sql, headers: { authorization: `Basic ${btoa('analyst:api-key-1')}` } })
  expect((await answer.text()).trim()).toBe(`${totals.people},${totals.events},${totals.orders},"${totals.revenueFen / 100}",${totals.refunds},${totals.people}`)
  const { segments } = (await ask('/api/segments')) as { segments: readonly { size: number; state: string }[] }
  expect(segments.map(({ state }) => state)).toEqual(['live', 'live', 'live', 'live'])
  expect(Math.min(...segments.map(({ size }) => size))).toBeGreaterThan(0)
  if (existsSync(CHROMIUM)) expect(await shownBy(link)).toEqual({ people: written(totals.people), stored: written(totals.events), received: written(totals.events + totals.repeats), faults: [] })

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
