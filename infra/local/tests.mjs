import { existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exitOf } from './child.mjs'
import { seconds } from './install.mjs'

/**
 * Lint, types and every test; each check counts as one. The last line is `N passed, N failed, N skipped`.
 * @returns {Promise<number>} the exit code
 */
export const test = async (root, args) => {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  await Promise.all(CHECKS.map(async ([name, script, options]) => {
    const startedAt = performance.now()
    const ok = (await exitOf(process.execPath, [join(root, script), ...options], { cwd: root })) === 0
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds(startedAt)} s)`)
    counts[ok ? 'passed' : 'failed'] += 1
  }))
  const report = join(tmpdir(), `millrace-test-${process.pid}.json`)
  const code = await vitest(root, ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args])
  add(counts, report, code)
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  return counts.failed === 0 && code === 0 ? 0 : 1
}

/** Runs vitest over the files that the arguments name. */
export const vitest = (root, args, env = {}) =>
  exitOf(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...args], {
    cwd: root,
    // chDB holds a thread for each query: four are too few for tests that run several at once.
    env: { ...process.env, UV_THREADPOOL_SIZE: process.env.UV_THREADPOOL_SIZE ?? '16', ...env },
  })

const CHECKS = [
  ['lint: oxlint', 'node_modules/oxlint/bin/oxlint', ['--deny-warnings']],
  ['lint: knip', 'node_modules/knip/bin/knip.js', ['--no-config-hints']],
  ['types', 'node_modules/typescript/bin/tsc', ['-p', 'tsconfig.test.json']],
  ['types: console', 'node_modules/typescript/bin/tsc', ['-p', 'packages/console/tsconfig.json']],
]

const add = (counts, report, code) => {
  if (!existsSync(report)) {
    counts.failed += 1
    return
  }
  const found = JSON.parse(readFileSync(report, 'utf8'))
  rmSync(report)
  // A file that fails to load has no tests: it must not pass for that.
  const unloaded = found.testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some((one) => one.status === 'failed')).length
  const failed = found.numFailedTests + unloaded
  counts.passed += found.numPassedTests
  counts.failed += failed === 0 && code !== 0 ? 1 : failed
  counts.skipped += found.numPendingTests + found.numTodoTests
}
