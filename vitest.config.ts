import { defineConfig } from 'vitest/config'

/** Their tests hold nothing of their process, so the next file may have it: most of what a small file costs is to load. */
const LIGHT = [
  'packages/{contracts,identity,metric-catalog,profile,segments,service-kit}/{src,test}/**/*.test.ts',
  'packages/up/src/**/*.test.ts',
  'services/{ingest,profile-builder}/{src,test}/**/*.test.ts',
]
/** chDB serves one folder a process, and clocks, signals and environments are the process's own. */
const OF_THEIR_OWN = ['packages/*/{src,test}/**/*.test.ts', 'services/*/{src,test}/**/*.test.ts', 'tests/**/*.test.ts']
const exclude = ['**/node_modules/**', '**/dist/**']

export default defineConfig({
  resolve: { conditions: ['millrace-source'] },
  ssr: { resolve: { conditions: ['millrace-source', 'node', 'import', 'default'] } },
  test: {
    pool: 'forks',
    globalSetup: ['tests/support/build.ts'],
    // A broker of a test lives for seconds: the second compiler would cost more than it gains.
    env: { KAFKA_JVM_PERFORMANCE_OPTS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' },
    // Much of a test's time is waiting for processes and disks.
    maxWorkers: 4,
    // Bounds on what hangs, not on what is slow: a machine may be busy with other things.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    projects: [
      { extends: true, test: { name: 'whole', include: OF_THEIR_OWN, exclude: [...exclude, ...LIGHT] } },
      { extends: true, test: { name: 'light', include: LIGHT, exclude, isolate: false } },
    ],
  },
})
