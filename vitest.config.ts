import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['millrace-source'] },
  ssr: { resolve: { conditions: ['millrace-source', 'node', 'import', 'default'] } },
  test: {
    include: ['packages/*/{src,test}/**/*.test.ts', 'services/*/{src,test}/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    globalSetup: ['tests/support/build.ts'],
    // A broker of a test lives for seconds: the second compiler would cost more than it gains.
    env: { KAFKA_JVM_PERFORMANCE_OPTS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' },
    // Most of a test's time is waiting for processes and disks.
    maxWorkers: 3,
    // Bounds on what hangs, not on what is slow: a machine may be busy with other things.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
})
