import { join } from 'node:path'

/**
 * The bench is TypeScript that nobody builds: vite, which runs the tests, loads it. Packages come from their builds, as
 * users run them.
 */
export const bench = async (root, args) => {
  const { runnerImport } = await import('vite')
  const { module } = await runnerImport(join(root, 'tests/bench/main.ts'), { root, configFile: false, logLevel: 'error' })
  return module.main(args)
}
