import { randomUUID } from 'node:crypto'
import { type HttpOptions, createHttp, createLogger, createMetricsRegistry, createProjects, metricsRoutes } from '@millrace/service-kit'
import type { Clock, HotStore, Ids } from '@millrace/ports'
import { createIngest, type IngestConfig } from '../src/index.ts'
import { createMemoryLog } from './memory-log.ts'

/** Only documents: ingest keeps nothing else in the hot store. */
const createDocuments = (): HotStore => {
  const documents = new Map<string, unknown>()
  const name = (scope: string, key: string) => `${scope}\n${key}`
  return {
    watermark: async () => null,
    get: async (scope, keys) => keys.map((key) => documents.get(name(scope, key))),
    scan: async (scope, { prefix }) =>
      [...documents].filter(([key]) => key.startsWith(name(scope, prefix))).map(([key, document]) => ({ key: key.slice(scope.length + 1), document })),
    apply: async () => false,
    timersDue: async () => [],
    nextTimer: async () => null,
    update: async (scope, key, change) => {
      const after = change(documents.get(name(scope, key)))
      documents.set(name(scope, key), after)
      return after
    },
    clear: async () => {},
    close: async () => {},
  }
}

const ids: Ids = { uuid: () => randomUUID(), secret: (bytes) => Buffer.from(randomUUID().repeat(4)).toString('hex').slice(0, bytes * 2) }

/** A whole ingest behind fastify, with a log that is looked into. `at` stands still unless it is moved. */
export const setUp = async (settings: Partial<IngestConfig> = {}, more: Partial<HttpOptions> = {}) => {
  const givenIds = new Set<string>()
  const counted: Ids = {
    ...ids,
    uuid: () => {
      const id = ids.uuid()
      givenIds.add(id)
      return id
    },
  }
  const time = { at: Date.parse('2024-06-01T12:00:00Z') }
  const clock: Clock = {
    now: () => time.at,
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms)
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
  const [hot, log, logger, metrics] = [createDocuments(), createMemoryLog(), createLogger('silent'), createMetricsRegistry()]
  const projects = createProjects({ hot, log, ids, clock })
  await projects.start()
  const { project, writeKey, apiKey } = await projects.create({
    name: 'Shop', zone: 'UTC', currency: 'EUR', writeKey: 'wk', apiKey: 'mk', identity: { types: [{ type: 'email', uniquePerPerson: false }] },
  })
  const ingest = createIngest({ log, hot, clock, ids: counted, logger, projects, metrics }, settings)
  const http = createHttp({ logger, ids, ...more })
  await http.register(ingest.routes)
  await http.register(metricsRoutes(metrics))
  await ingest.start()
  const basic = { authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}` }
  const post = (url: string, payload: unknown, headers: Record<string, string> = basic) =>
    http.inject({ url, method: 'POST', headers, payload: Buffer.isBuffer(payload) || typeof payload === 'string' ? payload : JSON.stringify(payload) })
  return { time, http, ingest, log, projects, givenIds, project, writeKey, apiKey, basic, post }
}
