import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './child.mjs'

/** Installs what the lock file names, in its versions, when something of it is missing or of another version. */
export const install = async (root) => {
  const missing = lacking(root)
  if (missing.length === 0) return
  const first = !existsSync(join(root, 'node_modules'))
  console.error(first ? 'Installing (first start: about 250 MB to fetch, 0.8 GB on disk; a minute or two) …' : `Installing ${missing.length} changed packages …`)
  const startedAt = performance.now()
  // Not `npm ci`: it refuses a lock file that lacks the builds of other systems, which not every registry has.
  await npmInstall(root, [])
  const builds = missingBuilds(root)
  if (builds.length > 0) await npmInstall(root, builds)
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

/**
 * Builds for this system that are not installed, as `name@version`: npm passes over an optional package that the lock
 * file does not name, and the lock file was written on one system.
 */
export const missingBuilds = (root, { platform, arch } = process) => {
  const own = new RegExp(`[-/]${platform}-${arch === 'x64' ? '(x64|64)' : arch}(-gnu)?$`)
  const wanted = Object.values(packagesOf(join(root, 'package-lock.json'))).flatMap((entry) => Object.entries(entry.optionalDependencies ?? {}))
  const builds = wanted.filter(([name]) => own.test(name) && !existsSync(join(root, 'node_modules', name)))
  return [...new Set(builds.map(([name, version]) => `${name}@${version}`))]
}

const npmInstall = (root, packages) => run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', ...packages], { cwd: root })

export const seconds = (startedAt) => ((performance.now() - startedAt) / 1000).toFixed(1)

const packagesOf = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : {})

/** Optional packages are builds for other systems as a rule; npm decides on them, not we. */
const serves = (entry) => !entry.optional && !entry.peer
