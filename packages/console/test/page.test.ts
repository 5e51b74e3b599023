import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { skipped } from '../../../tests/support/requirements.ts'
import { startStub, type Answers, type Stub } from './stub-server.ts'

const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const present = existsSync(CHROMIUM)
const skip = skipped(['chromium'], 'the page in a browser', present ? null : `there is no Chromium at ${CHROMIUM} (set CHROMIUM_PATH)`)

// The same words as the server's own, so that the page is tried under them.
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
const NOW = Date.UTC(2026, 2, 1, 12)

const personId = '0b9f7c64-95a1-5d8e-9d3a-4a0c5b7e2f11'
const at = (ms: number): string => new Date(NOW + ms).toISOString()
const LIVE = {
  at: at(0),
  seconds: Array.from({ length: 60 }, (_, second) => [NOW / 1000 - 59 + second, (second * 7) % 13]),
  people: 2000,
  stored: 49_360,
  refusedTotal: 1,
  newestReceivedAt: at(-400),
  events: [
    { messageId: '2', receivedAt: at(-400), type: 'track', event: 'Order Completed', channel: 'counter', personId, userId: 'm00042', anonymousId: null },
    { messageId: '1', receivedAt: at(-900), type: 'page', event: 'Page Viewed', channel: 'web', personId, userId: null, anonymousId: '7f3a9c1e-4411-4c5d-a0b1-0242ac130003' },
    { messageId: '0', receivedAt: at(-1200), type: 'identify', event: '<b>Identify</b>', channel: 'kol', personId: null, userId: null, anonymousId: null },
  ],
  refused: [{ receivedAt: at(-5000), code: 'EVENT_NAME_MISSING', detail: 'A track event needs a name in event.', source: 'web', messageId: 'm-1' }],
}
const row = { received: 50_311, stored: 49_360, rejected: 0, duplicate: 951, erased: 0, pending: 0 }
const ANSWERS: Answers = {
  '/api/session': { role: 'admin', project: { id: 1, name: '溪畔茶铺', zone: 'Asia/Shanghai', currency: 'CNY' } },
  '/api/setup': { writeKey: 'wk_0123456789abcdef' },
  '/api/ledger': { rows: [{ source: 'web', hour: 1, ...row }, { source: 'web', hour: 2, ...row }, { source: 'shop-counter', hour: 2, ...row, received: row.received + 2, pending: 2 }] },
  '/api/segments': { segments: [{ id: 's1', name: '回头客 Repeat buyers', size: 321 }, { id: 's2', name: '弃单 Abandoned checkout', size: null }] },
}

const KEYS = [
  { id: 'aaaaaaaaaaaa', createdAt: at(-9e8), expiresAt: null, revokedAt: at(-9e7) },
  { id: 'bbbbbbbbbbbb', createdAt: at(-9e7), expiresAt: null, revokedAt: null },
]
const SOURCES: Answers = {
  ...ANSWERS,
  '/api/sources': { sources: [
    { name: 'web', allowedOrigins: ['https://shop.example'], eventsPerSecondMax: 200, server: false, keys: KEYS },
    { name: 'shop-counter', allowedOrigins: [], eventsPerSecondMax: null, server: true, keys: [] },
  ] },
  '/api/sources/web/activity': {
    accepted: [{ ...LIVE.events[0], requestId: 'r-1' }],
    rejected: [{ receivedAt: at(-5000), code: 'TOO_OLD', detail: '<i>old</i>', requestId: 'r-2', messageId: null }],
  },
  'POST /api/sources/web/rotate': { name: 'web', writeKey: 'wk_new' },
  'PATCH /api/sources/web': {},
  'DELETE /api/sources/web/keys/bbbbbbbbbbbb': null,
}

let browser: Browser
let folder = ''
const stubs: Stub[] = []
const faults: string[] = []

beforeAll(async () => {
  if (skip) return
  folder = await mkdtemp(join(tmpdir(), 'millrace-console-'))
  await build({ root: fileURLToPath(new URL('..', import.meta.url)), logLevel: 'error', build: { outDir: folder, emptyOutDir: true } })
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
})
afterAll(async () => {
  await browser?.close()
  await Promise.all(stubs.map((stub) => stub.close()))
  if (folder) await rm(folder, { recursive: true, force: true })
})

const openPage = async (options: BrowserContextOptions = {}, answers: Answers = ANSWERS): Promise<{ page: Page; stub: Stub }> => {
  const stub = await startStub(folder, answers, POLICY)
  stubs.push(stub)
  const page = await (await browser.newContext({ locale: 'en-GB', ...options })).newPage()
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  page.on('pageerror', (error) => faults.push(error.message))
  await page.goto(stub.url)
  return { page, stub }
}

/** For a person to look at: set MILLRACE_SHOTS to a folder. */
const shot = async (page: Page, name: string): Promise<void> => {
  const shots = process.env['MILLRACE_SHOTS']
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true })
}

const showsLive = async ({ page, stub }: { page: Page; stub: Stub }): Promise<void> => {
  await page.getByRole('status').getByText(/Live|实时/).waitFor()
  stub.push(LIVE)
  await page.getByText('Order Completed').first().waitFor()
}

describe.skipIf(skip)('the page in a real Chromium', () => {
  it('shows what is pushed the moment it comes, and what the API tells', async () => {
    const opened = await openPage({ viewport: { width: 1280, height: 900 } })
    await showsLive(opened)
    const { page } = opened
    await expect.poll(() => page.locator('[data-figure=people]').textContent()).toBe('2,000')
    await expect.poll(() => page.locator('[data-ledger=received]').textContent()).toBe('150,935')
    await expect.poll(() => page.getByText('回头客 Repeat buyers').count()).toBe(1)
    expect(await page.getByText('Balanced').count()).toBe(1)
    expect(await page.getByText('EVENT_NAME_MISSING').count()).toBe(1)
    expect(await page.locator('pre').first().textContent()).toContain('wk_0123456789abcdef')
    // What a sender wrote is text, never markup.
    expect(await page.locator('.event-name b').count()).toBe(0)
    await shot(page, 'light')
  })

  it('offers the first event first when nobody is there yet', async () => {
    const { page, stub } = await openPage({}, { ...ANSWERS, '/api/ledger': { rows: [] }, '/api/segments': { segments: [] } })
    await page.getByRole('status').getByText('Live').waitFor()
    stub.push({ ...LIVE, seconds: [], people: 0, stored: 0, refusedTotal: 0, newestReceivedAt: null, events: [], refused: [] })
    await expect.poll(() => page.getByRole('heading', { name: 'Send the first event' }).count()).toBe(1)
    await shot(page, 'first')
  })

  it('speaks Chinese where the browser does, and keeps what is chosen', async () => {
    const opened = await openPage({ locale: 'zh-CN', colorScheme: 'dark', viewport: { width: 1280, height: 900 } })
    await showsLive(opened)
    const { page } = opened
    await page.getByRole('heading', { name: '最新事件' }).waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('zh')
    await shot(page, 'dark-zh')
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByRole('heading', { name: 'Latest events' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Latest events' }).waitFor()
  })

  it('fits a phone of 360 pixels without scrolling sideways', async () => {
    const opened = await openPage({ viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 })
    await showsLive(opened)
    const { page } = opened
    await expect.poll(() => page.getByText('Repeat buyers').count()).toBe(1)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
    await shot(page, 'phone')
  })

  it('shows sources with the ledger of a day, and what the chosen one sent', async () => {
    const { page } = await openPage({ viewport: { width: 1280, height: 900 } }, SOURCES)
    await page.getByRole('link', { name: 'Sources' }).click()
    await page.getByRole('button', { name: 'web' }).click()
    const cells = await page.locator('[data-source=web] td').allTextContents()
    expect(cells).toEqual(['100,622', '98,720', '0', '1,902', '0', '200', 'https://shop.example'])
    await page.getByText('TOO_OLD').waitFor()
    expect(await page.getByText('<i>old</i>').count()).toBe(1)
    await page.getByText('Order Completed').waitFor()
    expect(await page.getByRole('button', { name: 'Revoke' }).count()).toBe(1)
    await shot(page, 'sources')
  })

  it('shows a new key once, changes settings, and revokes only what is confirmed', async () => {
    const { page, stub } = await openPage({}, SOURCES)
    await page.goto(`${stub.url}/#/sources`)
    await page.getByRole('button', { name: 'web' }).click()
    await page.getByRole('button', { name: 'New key' }).click()
    await page.getByText('wk_new').waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
    expect(await page.getByText('wk_new').count()).toBe(0)
    const settings = page.getByRole('form', { name: 'Settings' })
    await settings.getByLabel('Allowed origins').fill('https://a.example\n https://b.example')
    await settings.getByLabel('Events a second').fill('')
    await settings.getByRole('button', { name: 'Save' }).click()
    await settings.getByText('Saved').waitFor()
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('button', { name: 'Revoke for ever?' }).click()
    await page.getByRole('button', { name: 'Revoke', exact: true }).waitFor()
    expect(stub.changes).toEqual([
      { asked: 'POST /api/sources/web/rotate', body: { graceMs: 86_400_000 } },
      { asked: 'PATCH /api/sources/web', body: { allowedOrigins: ['https://a.example', 'https://b.example'], eventsPerSecondMax: null, server: false } },
      { asked: 'DELETE /api/sources/web/keys/bbbbbbbbbbbb', body: null },
    ])
  })

  it('tells in the server\'s words why a source cannot be made, on a phone, in Chinese', async () => {
    const { page, stub } = await openPage({ locale: 'zh-CN', viewport: { width: 360, height: 740 } }, SOURCES)
    // The browser itself logs an answer of 4xx; this one is meant.
    page.removeAllListeners('console')
    await page.goto(`${stub.url}/#/sources`)
    await page.getByRole('heading', { name: '新建数据源' }).waitFor()
    const form = page.getByRole('form', { name: '新建数据源' })
    await form.getByLabel('名称').fill('app')
    await form.getByLabel('由我方可信服务器发送').check()
    await form.getByRole('button', { name: '创建' }).click()
    await page.getByText('The stub refuses.').waitFor()
    expect(stub.changes).toEqual([{ asked: 'POST /api/sources', body: { name: 'app', allowedOrigins: [], eventsPerSecondMax: null, server: true } }])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
    await shot(page, 'sources-phone-zh')
  })

  it('shows an analyst no sources', async () => {
    const { page, stub } = await openPage({}, { ...SOURCES, '/api/session': { ...(ANSWERS['/api/session'] as object), role: 'analyst' } })
    await page.goto(`${stub.url}/#/sources`)
    await page.getByRole('heading', { name: 'Ledger' }).waitFor()
    expect(await page.getByRole('link', { name: 'Sources' }).count()).toBe(0)
  })

  it('breaks no rule of its own policy, and logs no error', () => {
    expect(faults).toEqual([])
  })
})
