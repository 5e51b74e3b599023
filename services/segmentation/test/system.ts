import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmbeddedHotStore, createEmbeddedLog, createSeededIds, openLmdb } from '@millrace/adapters'
import {
  type AcceptedControl,
  createZone,
  decodeEvent,
  decodeRecord,
  encodeRecord,
  type FlipLine,
  isRefusal,
  type OriginCount,
  partitionOfPerson,
  personIdOf,
  type Project,
  type ResolvedLine,
  shardOf,
  topics,
} from '@millrace/contracts'
import type { Batch, ColumnStore, EventLog, LogRecord, Step, Subscription } from '@millrace/ports'
import { type ReferenceRecord, toReferenceRecord } from '@millrace/segments'
import { createHttp, createLogger, createProjects } from '@millrace/service-kit'
import { eventRow, flipRow, rowBytes } from '@millrace/warehouse'
import { createSegmentation, type Segmentation, segmentationConfig } from '../src/index.ts'
import { createTestClock } from './clock.ts'

export const START = Date.UTC(2024, 2, 29)

export interface SystemOptions {
  readonly columns: ColumnStore
  readonly zone?: string
  /** Distinct projects share one warehouse. */
  readonly projectId?: number
  readonly probe?: (point: string) => void
  readonly env?: Record<string, string>
  /** Stands between the service and the log. */
  readonly throughLog?: (log: EventLog) => EventLog
}
export type System = Awaited<ReturnType<typeof createSystem>>

/** The service on the real embedded log, between a small home of keys (in place of resolve) and a small sink. */
export const createSystem = async ({ columns, zone = 'UTC', projectId = 1, probe, env = {}, throughLog = (log) => log }: SystemOptions) => {
  const dir = await mkdtemp(join(tmpdir(), 'millrace-segmentation-'))
  const clock = createTestClock(START)
  const root = await openLmdb(dir, { syncMode: 'os', commitEveryMs: 0 })
  const log = createEmbeddedLog({ root, backOff: { firstMs: 1, mostMs: 1 } })
  const hot = createEmbeddedHotStore({ root, clock })
  const ids = createSeededIds('segmentation')
  const projects = createProjects({ hot, log, ids, clock })
  await hot.update('projects', 'last-id', () => projectId - 1)
  const { project, apiKey } = await projects.create({ name: 'shop', zone, currency: 'EUR' })
  const logger = createLogger('silent')
  const deps = { log: throughLog(log), hot, columns, clock, ids, logger, projects, ...(probe ? { probe } : {}) }
  const config = segmentationConfig.parse({ BACKFILL_POLL_MS: '10', BACKFILL_NUMBERS_PER_PAGE: '256', SEGMENTATION_LINGER_MS: '0', ...env })
  let service: Segmentation = createSegmentation(deps, config)
  await service.start()
  const home = createHome(log, project, clock)
  const others: Subscription[] = [await home.start(), await startSink(log, columns, project)]
  const serve = async () => {
    const http = createHttp({ logger, ids })
    await http.register(service.routes)
    return http
  }
  let app = await serve()

  /** A timer that is due is on its way through the log: the append is not in the log when a drain begins. */
  const isTimerDue = async (): Promise<boolean> => {
    for (let partition = 0; partition < topics.resolved.partitions; partition++) {
      const next = await hot.nextTimer(`segmentation:${partition}`)
      if (next && next.at <= clock.now()) return true
    }
    return false
  }
  const drain = async (): Promise<void> => {
    await drainOnce()
    for (let wait = 0; wait < 2_000 && (await isTimerDue()); wait++) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      await drainOnce()
    }
  }
  const drainOnce = async (): Promise<void> => {
    // A flip may come of a move, a move of a move: four rounds are more than any history of the tests needs.
    for (let round = 0; round < 4; round++) {
      await clock.moveTo(clock.now())
      for (const part of [...others, service]) await part.drain()
    }
    // What a stored batch sets off (a watch over a timer) begins behind the drain.
    await clock.moveTo(clock.now())
  }
  return {
    clock, log, hot, project, projects, home, drain, columns,
    call: async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: unknown) => {
      const answer = await app.inject({ method, url, headers: { authorization: `Bearer ${apiKey}` }, ...(body === undefined ? {} : { payload: body as object }) })
      return { status: answer.statusCode, body: answer.body === '' ? null : answer.json() }
    },
    statusWithoutKey: async (url: string) => (await app.inject({ method: 'GET', url })).statusCode,
    restart: async () => {
      await app.close()
      await service.stop()
      service = createSegmentation(deps, config)
      await service.start()
      app = await serve()
    },
    /** Time goes on in small steps until the backfills that are under way are done. */
    untilLive: async (segment: string) => {
      for (let step = 0; step < 3_000; step++) {
        const documents = await Promise.all([0, 1, 2, 3].map(async (partition) =>
          (await hot.get(`segmentation:${partition}`, [`rule:${String(project.id).padStart(5, '0')}/${segment}`]))[0] as { state: string; version: number } | undefined))
        // Behind an edit a partition may still have the version before, which is live.
        if (documents.every((document) => document?.state === 'live' && document.version === documents[0]!.version)) return drain()
        await clock.moveTo(clock.now() + 10)
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      throw new Error(`${segment} did not become live`)
    },
    flips: async (): Promise<readonly FlipLine[]> => linesOf<FlipLine>(await readAll(log, topics.segmentChanged.name, 1)),
    records: async (): Promise<readonly ReferenceRecord[]> => (await readAll(log, topics.resolved.name, topics.resolved.partitions)).map(toReferenceRecord),
    stop: async () => {
      await app.close()
      await service.stop()
      for (const part of others) await part.stop()
      await log.close()
      await hot.close()
      await root.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

const readAll = async (log: EventLog, topic: string, partitions: number): Promise<readonly LogRecord[]> => {
  const all: LogRecord[] = []
  for (let partition = 0; partition < partitions; partition++) {
    for (let from = 0; ; ) {
      const some = await log.read(topic, partition, from, { recordsMax: 1_000, bytesMax: 1 << 24 })
      if (some.length === 0) break
      all.push(...some)
      from = some.at(-1)!.offset + 1
    }
  }
  return all
}

const linesOf = <Line>(records: readonly LogRecord[]): readonly Line[] =>
  records.flatMap(({ value }) => decodeRecord(value).lines().map((line) => JSON.parse(line.toString()) as Line))

interface Numbered {
  readonly number: number
  readonly key: string
  person: string
  epoch: number
}

/** Numbers keys, files events and places numbers as the home of a key does, one thing after another. */
const createHome = (log: EventLog, project: Project, clock: { now(): number }) => {
  const numbered = new Map<string, Numbered>()
  const byNumber = new Map<number, Numbered>()
  let last: Promise<unknown> = Promise.resolve()
  let messages = 0
  let epochs = 0
  const inTurn = <Result>(act: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(act)
    last = turn.catch(() => {})
    return turn
  }
  const find = (key: string): Numbered => {
    const known = numbered.get(key)
    if (known) return known
    const number = Math.floor(numbered.size + 1) * 64 + shardOf(project.id, key)
    const made = { number, key, person: personIdOf(project.id, key), epoch: 0 }
    numbered.set(key, made)
    byNumber.set(number, made)
    return made
  }
  const append = (lines: readonly (readonly [partition: number, line: ResolvedLine])[], origins: readonly OriginCount[] = []): Promise<void> =>
    log.append(lines.map(([partition, line]) => ({
      topic: topics.resolved.name,
      partition,
      value: encodeRecord({ kind: 'resolved', project: project.id, count: origins.length, origins }, [JSON.stringify(line)]),
    })))
  const partitionOf = (person: string): number => partitionOfPerson(person, topics.resolved.partitions)

  const forward = (control: AcceptedControl, from: number): Promise<void> => {
    if (control.type === 'backfill.completed') {
      return append(Array.from({ length: topics.resolved.partitions }, (_, partition) => [partition, { ...control, from }]))
    }
    if (control.type !== 'state.backfilled') return Promise.resolve()
    const { person, epoch } = byNumber.get(control.number)!
    return append([[partitionOf(person), { ...control, person, epoch }]])
  }
  const handle = async (batch: Batch): Promise<Step> => {
    for (const { value, partition } of batch.records) {
      for (const line of decodeRecord(value).lines()) await inTurn(() => forward(JSON.parse(line.toString()) as AcceptedControl, partition))
    }
    return { outputs: [] }
  }
  return {
    start: () => log.consume({
      group: 'resolve', topics: [topics.accepted.name], batchRecordsMax: 100, batchBytesMax: 1 << 20, lingerMs: 0, onFault: rethrow,
      open: async ({ committed }) => ({ from: committed.offset, handle, close: async () => {} }),
    }),
    personOf: (key: string): string => find(key).person,
    own: (key: string): string => personIdOf(project.id, key),
    event: (key: string, raw: Record<string, unknown>) => inTurn(() => {
      const { number, person, epoch } = find(key)
      const receivedAt = clock.now()
      const id = key.slice(key.indexOf(':') + 1)
      const identity = key.startsWith('user_id:') ? { userId: id } : { anonymousId: id }
      const event = { type: 'track', event: 'Order Completed', messageId: `m${messages++}`, ...identity, ...raw }
      const origin: OriginCount = { source: 'web', protocol: 'segment', receivedAt, sentAt: null, events: 1, repeats: 0 }
      return append([[partitionOf(person), { type: 'event', origin: 0, key, number, epoch, person, place: [0, 0, 0], event }]], [origin])
    }),
    place: (key: string, person: string) => inTurn(async () => {
      const numberedKey = find(key)
      const { number, epoch, person: before } = numberedKey
      if (before === person) return
      const nextEpoch = ++epochs
      await append([
        [partitionOf(before), { type: 'number.left', number, epoch, nextEpoch, person: before, to: person }],
        [partitionOf(person), { type: 'number.expected', number, epoch: nextEpoch, person }],
      ])
      Object.assign(numberedKey, { person, epoch: nextEpoch })
    }),
  }
}

const rethrow = (error: unknown): never => {
  throw error
}

/** Stores events and flips as the sink does, without its journal. */
const startSink = (log: EventLog, columns: ColumnStore, project: Project): Promise<Subscription> => {
  const dayOf = createZone(project.zone).day
  const handle = async (batch: Batch): Promise<Step> => {
    const rows = { 'millrace_store.events': [] as string[], 'millrace_store.flips': [] as string[] }
    for (const { value, topic, partition, offset } of batch.records) {
      const { header, lines } = decodeRecord(value)
      for (const [index, line] of lines().entries()) {
        const parsed = JSON.parse(line.toString()) as ResolvedLine | FlipLine
        const place = [partition, offset, index] as const
        if (topic === topics.segmentChanged.name) rows['millrace_store.flips'].push(flipRow(project.id, parsed as FlipLine, place))
        else if (parsed.type === 'event') {
          const event = decodeEvent(header.origins[parsed.origin]!, project, parsed.event)
          if (!isRefusal(event)) rows['millrace_store.events'].push(eventRow(event, { ...parsed, place }, dayOf))
        }
      }
    }
    for (const [table, made] of Object.entries(rows)) {
      if (made.length > 0) await columns.insert({ table, rows: rowBytes(made), token: `${project.id}:${batch.records[0]!.topic}:${batch.records[0]!.partition}:${batch.end}:${table}` })
    }
    return { outputs: [] }
  }
  return log.consume({
    group: 'sink', topics: [topics.resolved.name, topics.segmentChanged.name], batchRecordsMax: 500, batchBytesMax: 1 << 20, lingerMs: 0, onFault: rethrow,
    open: async ({ committed }) => ({ from: committed.offset, handle, close: async () => {} }),
  })
}
