import { createLogger, createMetricsRegistry } from '@millrace/service-kit'
import { type HotStore, LogUnavailable, type SpooledLog } from '@millrace/ports'
import { describe, expect, it } from 'vitest'
import { createIngest } from '../src/index.ts'
import { createMemoryLog } from './memory-log.ts'
import { setUp } from './set-up.ts'

const NOW = 1_700_000_000_000

const withSpool = async (figures: ReturnType<SpooledLog['figures']>) => {
  const { projects } = await setUp()
  const log = createMemoryLog()
  const spool: SpooledLog = { ...log, figures: () => figures }
  const metrics = createMetricsRegistry()
  const ingest = createIngest({
    log: spool, spool, hot: {} as HotStore, clock: { now: () => NOW, after: () => () => {} }, ids: { uuid: () => '', secret: () => '' }, logger: createLogger('silent'), projects, metrics,
  })
  return { log, metrics, state: () => ingest.checks.find(({ name }) => name === 'log')!.check() }
}

describe('ingest with a spool', () => {
  it('is ready while the spool has room, and says how much waits', async () => {
    const { log, state } = await withSpool({ records: 3, bytes: 700, bytesMax: 1_000, oldestAt: NOW - 2_500, spooling: true })
    expect(await state()).toBe('spooling: 3 records wait for the log')
    log.failWith(new LogUnavailable('LOG_FULL', 'the spool is full', 10))
    await expect(state()).rejects.toThrow('the spool is full')
  })

  it('says that all is well when nothing waits', async () => {
    expect(await (await withSpool({ records: 0, bytes: 0, bytesMax: 1_000, oldestAt: null, spooling: false })).state()).toBe('ok')
  })

  it('tells what waits, and how long the oldest of it has', async () => {
    const { metrics } = await withSpool({ records: 3, bytes: 700, bytesMax: 1_000, oldestAt: NOW - 2_500, spooling: true })
    const text = await metrics.metrics()
    for (const line of ['millrace_ingest_spooled_bytes 700', 'millrace_ingest_spooled_bytes_max 1000', 'millrace_ingest_spooled_records 3', 'millrace_ingest_spooled_oldest_seconds 2.5']) expect(text.split('\n')).toContain(line)
  })
})
