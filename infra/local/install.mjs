import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './child.mjs'

/** Installs exactly what the lock file names, when something of it is missing or of another version. */
export const install = async (root) => {
  const missing = lacking(root)
  if (missing.length === 0) return
  const first = !existsSync(join(root, 'node_modules'))
  console.error(first ? 'Installing (first start: about 250 MB to fetch, 0.8 GB on disk; a minute or two) …' : `Installing ${missing.length} changed packages …`)
  const startedAt = performance.now()
  await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root })
  console.error(`Installed in ${seconds(startedAt)} s.`)
}

/**
 * Packages of the lock file that node_modules lacks or has in another version. Contents are compared,
 * not times: a checkout touches files without changing them.
 */
export const lacking = (root) => {
  const wanted = packagesOf(join(root, 'package-lock.json'))
  const present = packagesOf(join(root, 'node_modules/.package-lock.json'))
  return Object.entries(wanted)
    .filter(([path, entry]) => path.includes('node_modules/') && !entry.link && serves(entry))
    .filter(([path, entry]) => present[path]?.version !== entry.version || !existsSync(join(root, path)))
    .map(([path]) => path)
}

export const seconds = (startedAt) => ((performance.now() - startedAt) / 1000).toFixed(1)

const packagesOf = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : {})

/** Optional packages are builds for other systems as a rule; npm decides on them, not we. */
const serves = (entry) => !entry.optional && !entry.peer
