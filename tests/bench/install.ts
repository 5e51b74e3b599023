import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, freePort } from '../support/millrace.ts'
import { root } from '../tidy/source-tree.ts'
import type { Figures } from './figures.ts'
import { diskMb } from './watch.ts'

const READY_MS_MAX = 900_000

/** `npm start` on a fresh clone with an empty npm cache: what a newcomer downloads and waits for. */
export const benchInstall = async (figures: Figures): Promise<void> => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const [clone, cache] = [join(dir, 'millrace'), join(dir, 'cache')]
  try {
    execFileSync('git', ['clone', '-q', root, clone])
    const [port, clickhousePort] = [await freePort(), await freePort()]
    const startedAt = performance.now()
    const child = spawn('npm', ['start', '--', '--port', String(port), '--clickhouse-port', String(clickhousePort)], {
      cwd: clone, stdio: 'ignore', env: { ...process.env, npm_config_cache: cache },
    })
    const ended = once(child, 'exit')
    await eventually(() => fetch(`http://127.0.0.1:${port}/readyz`), (answer) => answer.ok, READY_MS_MAX)
    const seconds = (performance.now() - startedAt) / 1000
    child.kill('SIGTERM')
    await ended
    figures.add('first start', 'npm start on a fresh clone to ready', seconds, 's', 'empty npm cache, this network')
    figures.add('first start', 'downloaded', diskMb(join(cache, '_cacache/content-v2')), 'MB', "npm's cache afterwards")
    figures.add('first start', 'installed', diskMb(join(clone, 'node_modules')), 'MB', 'node_modules')
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
