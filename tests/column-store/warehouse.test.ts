import { describe } from 'vitest'

/** The warehouse's own tests, unchanged, over HTTP. */
process.env['MILLRACE_TEST_COLUMN_STORE'] = 'server'

describe('the warehouse on a server', async () => {
  await import('../../packages/warehouse/test/warehouse.test.ts')
  await import('../../packages/warehouse/test/views.test.ts')
  // Rows in bulk, which say nothing more of HTTP.
  if (process.env['MILLRACE_LONG'] !== '1') return void process.stdout.write('SKIPPED bulk rows of the warehouse over HTTP: MILLRACE_LONG=1 runs them\n')
  await import('../../packages/warehouse/test/merge.test.ts')
  await import('../../packages/warehouse/test/import.test.ts')
})
