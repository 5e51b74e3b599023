import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from './child.mjs'
import { seconds } from './install.mjs'

/** Builds all packages when a source changed since the last build; takes a few milliseconds when none did. */
export const build = async (root) => {
  const stamp = join(root, 'node_modules/.cache/millrace/built')
  const now = fingerprint(root)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === now && workspaces(root).every((path) => existsSync(join(path, 'dist')))) return
  console.error('Building …')
  const startedAt = performance.now()
  // `npm run build` (Turborepo) does the same with a cache for each package; one compiler over all is there sooner.
  await Promise.all([
    run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], { cwd: root }),
    run('npm', ['run', 'build', '--silent', '-w', '@millrace/console', '--', '--logLevel', 'error'], { cwd: root }),
  ])
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, now)
  console.error(`Built in ${seconds(startedAt)} s.`)
}

/** Changes when a source file comes, goes, or is written. */
const fingerprint = (root) => {
  const hash = createHash('sha256')
  for (const path of sources(root)) {
    const { mtimeMs, size } = statSync(path)
    hash.update(`${path} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex')
}

const sources = (root) => [
  ...ROOT_FILES.map((name) => join(root, name)),
  ...workspaces(root).flatMap((path) => readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/[\\/](node_modules|dist|\.turbo|test)([\\/]|$)/.test(`${entry.parentPath ?? entry.path}/`))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()),
]

const ROOT_FILES = ['package-lock.json', 'tsconfig.base.json', 'turbo.json']

const workspaces = (root) =>
  ['packages', 'services'].flatMap((group) =>
    readdirSync(join(root, group))
      .map((name) => join(root, group, name))
      .filter((path) => existsSync(join(path, 'package.json')))
      .sort(),
  )
