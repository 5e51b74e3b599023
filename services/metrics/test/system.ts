import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChdbStore, createEmbeddedHotStore, createEmbeddedLog, createSystemClock, createSystemIds, openLmdb } from '@millrace/adapters'
import { decodeRecord, encodeRecord, topics, type OriginCount } from '@millrace/contracts'
import type { Subscription } from '@millrace/ports'
import { createHttp, createLogger, createMetricsRegistry, createProjects, healthRoutes, metricsRoutes } from '@millrace/service-kit'
import { migrate } from '@millrace/warehouse'
import { createMetrics, metricsConfig } from '../src/index.ts'

export const API_KEY = 'mk_test'

/** metrics over the embedded adapters, and a resolve that only passes events on, numbered by their user. */
export const openSystem = async (settings: Record<string, string> = {}, probe?: (point: string) => void) => {
  const dir = mkdtempSync(join(tmpdir(), 'millrace-service-'))
  const wall = createSystemClock()
  let ahead = 0
  const clock = { ...wall, now: () => wall.now() + ahead }
  const root = await openLmdb(join(dir, 'log'), { syncMode: 'os' })
  const log = createEmbeddedLog({ root })
  const hot = createEmbeddedHotStore({ root, clock })
  const columns = createChdbStore({ path: join(dir, 'store') })
  await migrate(columns)
  const projects = createProjects({ hot, log, ids: createSystemIds(), clock })
  await projects.refresh()
  await projects.create({ name: 'shop', zone: 'UTC', currency: 'USD', apiKey: API_KEY })
  await projects.create({ name: 'other', zone: 'UTC', currency: 'USD', apiKey: 'mk_other' })
  const faults: unknown[] = []
  const logger = createLogger('error', { write: (line: string) => void faults.push(JSON.parse(line)) })
  const registry = createMetricsRegistry()
  const metrics = createMetrics({ log, hot, columns, clock, logger, projects, metrics: registry, ...(probe && { probe }) }, metricsConfig.parse({ SINK_LINGER_MS: 20, ...settings }))
  const app = createHttp({ logger, ids: createSystemIds() })
  await app.register(metrics.routes)
  await app.register(metricsRoutes(registry))
  await app.register(healthRoutes(metrics.checks, clock))
  await metrics.start()
  let resolve: Subscription | undefined
  let places = 0

  return {
    metrics,
    projects,
    now: clock.now,
    app,
    log,
    columns,
    faults,
    /** What /metrics tells after that time: each series with its value. */
    scrape: async (laterMs = 60_000): Promise<ReadonlyMap<string, number>> => {
      ahead += laterMs
      // A busy machine answers late: what was asked is told to the next reader.
      await app.inject('/metrics')
      await registry.drain()
      const { body } = await app.inject('/metrics')
      return new Map(body.split('\n').filter((line) => line.startsWith('millrace_')).map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
    },
    resolve: async (): Promise<void> => {
      resolve ??= await log.consume({
        group: 'resolve',
        topics: [topics.accepted.name],
        batchRecordsMax: 20,
        batchBytesMax: 1 << 22,
        lingerMs: 0,
        onFault: (error) => void faults.push(error),
        open: async ({ committed }) => ({
          from: committed.offset,
          handle: async (batch) => ({
            outputs: batch.records.map(({ value, partition, offset }) => {
              const { header, lines } = decodeRecord(value)
              const kept = lines().map((line) => JSON.parse(String(line)) as { userId: string; repeat?: boolean })
              const repeats = kept.filter(({ repeat }) => repeat).length
              const origins: OriginCount[] = [{ ...header.origins[0]!, events: kept.length - repeats, repeats }]
              return {
                topic: topics.resolved.name,
                partition,
                value: encodeRecord(
                  { ...header, kind: 'resolved', count: kept.length - repeats, origins },
                  kept.filter(({ repeat }) => !repeat).map((event, index) =>
                    JSON.stringify({
                      type: 'event', origin: 0, key: `user_id:${event.userId}`, number: Number(event.userId.slice(1)), epoch: 0,
                      person: '00000000-0000-4000-8000-000000000001', place: [partition, offset, index], event,
                    })),
                ),
              }
            }),
          }),
          close: () => Promise.resolve(),
        }),
      })
      await resolve.drain()
    },
    accept: (events: readonly object[], receivedAt: number, source = 'web', project = 1): Promise<void> =>
      log.append([
        {
          topic: topics.accepted.name,
          partition: places++ % 4,
          value: encodeRecord(
            { kind: 'events', project, count: events.length, origins: [{ source, protocol: 'segment', receivedAt, sentAt: null }] },
            events.map((event) => JSON.stringify(event)),
          ),
        },
      ]),
    poison: (value: Uint8Array): Promise<void> => log.append([{ topic: topics.accepted.name, partition: 0, value }]),
    reject: (code: string, receivedAt: number): Promise<void> =>
      log.append([
        {
          topic: topics.rejected.name,
          partition: 0,
          value: encodeRecord(
            { kind: 'rejected', project: 1, count: 1, origins: [{ source: 'web', protocol: 'segment', receivedAt, sentAt: null }] },
            [JSON.stringify({ code, detail: `it is ${code}`, bytes: 'e30=', messageId: null })],
          ),
        },
      ]),
    map: (number: number, personNumber: number, version: number): Promise<void> =>
      log.append([
        {
          topic: topics.map.name,
          partition: 0,
          value: encodeRecord({ kind: 'map', project: 1, count: 0, origins: [] }, [
            JSON.stringify({
              type: 'number.mapped', number, key: `user_id:u${number}`, person: '00000000-0000-4000-8000-000000000001',
              personNumber, linkedAt: 0, version,
            }),
          ]),
        },
      ]),
    ask: async (method: 'GET' | 'POST', url: string, body?: object, key = API_KEY): Promise<{ status: number; body: unknown }> => {
      const answer = await app.inject({ method, url, headers: { authorization: `Bearer ${key}` }, ...(body && { payload: body }) })
      return { status: answer.statusCode, body: answer.json() }
    },
    close: async (): Promise<void> => {
      await app.close()
      await metrics.stop()
      await resolve?.stop()
      await hot.close()
      await log.close()
      await root.close()
      await columns.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
export type System = Awaited<ReturnType<typeof openSystem>>
