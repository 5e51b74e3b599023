import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['millrace-source'] },
  ssr: { resolve: { conditions: ['millrace-source', 'node', 'import', 'default'] } },
  test: {
    include: ['packages/*/{src,test}/**/*.test.ts', 'services/*/{src,test}/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    // Most of a test's time is waiting for processes and disks.
    maxWorkers: 3,
    // Bounds on what hangs, not on what is slow: a machine may be busy with other things.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
})
