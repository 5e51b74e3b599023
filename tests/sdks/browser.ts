import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { build } from 'vite'

export const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
const DONE_MS_MAX = 60_000

/**
 * Bundles `program.js` of a folder with its SDK and runs it in Chromium on a page of another site than the ingest. The program says
 * that it has sent everything by `window.done = true`; then the page is left, so that what an SDK sends at its end is sent too.
 */
export const runInBrowser = async (folder: string, name: string, settings: Readonly<Record<string, string>>): Promise<void> => {
  await build({
    root: folder, logLevel: 'error', configFile: false,
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { outDir: 'page', emptyOutDir: true, minify: false, lib: { entry: 'program.js', formats: ['iife'], name: 'program', fileName: () => 'program.bundle.js' } },
  })
  const script = readFileSync(join(folder, 'page/program.bundle.js'))
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/program.js')) return response.setHeader('content-type', 'text/javascript').end(script)
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(`<!doctype html><title>${name}</title><p>Shop<script>window.MILLRACE=${JSON.stringify(settings)}</script><script src="/program.js"></script>`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // For the whole browser: what a page sends when it is left goes out under the browser's own agent, not the page's.
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-blink-features=AutomationControlled', `--user-agent=${AGENT}`] })
  try {
    const page = await browser.newPage({ locale: 'en-GB' })
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(String(error)))
    await page.addInitScript("Object.defineProperty(navigator, 'webdriver', { get: () => false })")
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/shop?utm_source=news&utm_medium=email&utm_campaign=spring`)
    await page.waitForFunction('window.done === true', undefined, { timeout: DONE_MS_MAX }).catch((error: unknown) => {
      throw new Error(`the program did not end: ${faults.join('; ') || String(error)}`)
    })
    await page.goto('about:blank')
    await page.close({ runBeforeUnload: true })
  } finally {
    await browser.close()
    server.closeAllConnections()
    server.close()
  }
}
