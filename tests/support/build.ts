import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { root } from '../tidy/source-tree.ts'

/** Once before all files: tests that start processes start what is built. It takes a second when nothing changed. */
export const setup = (): void => {
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  execFileSync(process.execPath, [compiler, '-b'], { cwd: root, stdio: 'inherit' })
}
