// Plain JavaScript without dependencies: it runs before anything is installed.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bench } from './bench.mjs'
import { build } from './build.mjs'
import { CommandFailed, exitOf } from './child.mjs'
import { install } from './install.mjs'
import { thisMachine, unserved } from './platform.mjs'
import { stackLacks } from './stack.mjs'
import { test, vitest } from './tests.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

const main = async ([name, ...args]) => {
  const command = COMMANDS[name]
  if (!command) throw new Error(`Unknown command ${name ?? '(none)'}: there are ${Object.keys(COMMANDS).join(', ')}.`)
  const reason = unserved(thisMachine())
  if (reason) throw new Error(reason)
  const lacks = name === 'stack' && !args.includes('--help') ? stackLacks(join(root, 'node_modules/.cache/millrace')) : []
  if (lacks.length > 0) throw new Error(lacks.join('\n'))
  await install(root)
  await build(root)
  return command(args)
}

/**
 * Batches live a little longer than Node's usual young space holds, so most of it was copied again and again: 9 % of the
 * CPU of an import for 50 MB of memory. tests/support/millrace.ts does the same.
 */
const YOUNG_SPACE = '--max-semi-space-size=64'

/** A program of the package `up`, in a process of its own. */
const program = (path) => (args) =>
  exitOf(process.execPath, [YOUNG_SPACE, join(root, 'packages/up/dist', path), ...args], {
    // Paths on the command line are meant from where the user stands; npm runs scripts at the root.
    cwd: process.env.INIT_CWD ?? process.cwd(),
    // chDB holds one thread of the pool for each running query, lmdb one for each commit.
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
  })

/** Long tests and measurements are test files that do more when they are told so. */
const long = (paths, env) => (args) => vitest(root, [...paths, '--reporter=verbose', '--testTimeout=0', ...args], env)

const COMMANDS = {
  start: program('main.js'),
  stack: program('stack/main.js'),
  import: program('import/main.js'),
  replay: program('replay/main.js'),
  diff: program('diff/main.js'),
  topics: program('topics/main.js'),
  ops: program('ops/main.js'),
  test: (args) => test(root, args),
  bench: (args) => bench(root, args),
  chaos: long(['tests/chaos', 'tests/kafka/chaos', 'identity/simulation.test'], { MILLRACE_LONG: '1', MILLRACE_SEEDS: '5000' }),
  sdks: long(['tests/sdks'], { MILLRACE_LONG: '1' }),
  fuzz: long(['tests/fuzz', 'services/ingest/test/scan', 'services/ingest/test/request-fuzz'], { MILLRACE_LONG: '1' }),
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof CommandFailed)) console.error(error.message)
  process.exitCode = error.code > 0 ? error.code : 1
}
