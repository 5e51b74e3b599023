import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafkaMissing, startKafka, startRedis } from '@millrace/testkit'
import { root } from '../tidy/source-tree.ts'
import { WRITE_KEY } from '../support/millrace.ts'
import type { Figures } from './figures.ts'
import { findGenerator, type Generator, type Load } from './generator.ts'
import { gzippedRequests, mixedRequests, type WrittenRequest, writtenRequests } from './ingest-requests.ts'
import { outputOf } from './output-of.ts'
import { cpuMicros, memoryOf } from './watch.ts'

export interface IngestSeconds {
  readonly warm: number
  readonly measured: number
}

/** What a door is loaded with: 512 connections where a request waits for the log, so that many wait at once. */
const BATCH = { name: 'batches of 100', events: 100, connections: 64 } as const
const SINGLE = { name: 'single requests', events: 1, connections: 512 } as const
const AUTHORIZATION = `Basic ${Buffer.from(`${WRITE_KEY}:`).toString('base64')}`

/**
 * What taking an event costs: CPU of the server's own process by event, since load, broker and server share the cores. Beside it, in
 * the same run, servers that do less: none of these keeps an event.
 */
export const benchIngest = async (figures: Figures, seconds: IngestSeconds): Promise<void> => {
  const generator = findGenerator()
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const cache = join(root, 'node_modules/.cache/millrace')
  const missing = kafkaMissing()
  if (missing !== null) figures.add('ingest', 'on the stack', 'skipped', '', missing)
  const kafka = missing === null ? await startKafka(cache) : null
  const redis = missing === null ? await startRedis(cache, { appendfsync: 'no' }) : null
  const env = { KAFKA_BROKERS: kafka?.brokers.join(',') ?? '', REDIS_URLS: redis?.url ?? '' }
  const bench: Bench = { figures, generator, seconds, folder, env }
  const written = (requests: readonly WrittenRequest[]): string => {
    const path = join(folder, `requests-${requests[0]!.path.replaceAll('/', '')}-${requests.length}`)
    writeFileSync(path, writtenRequests(requests))
    return path
  }
  try {
    const plain = new Map<string, number>()
    for (const kind of ['bare', 'parse', ...(kafka ? ['record-each'] : [])] as const) {
      for (const load of [BATCH, SINGLE]) plain.set(`${kind} ${load.name}`, await measure(bench, kind, load))
    }
    for (const kind of ['embedded', ...(kafka ? ['stack'] : [])] as const) {
      for (const load of [BATCH, SINGLE]) {
        const micros = await measure(bench, kind, load)
        figures.add('ingest', `${kind}, ${load.name}, to fastify that parses`, micros / plain.get(`parse ${load.name}`)!, 'times', 'of this run')
      }
    }
    const kind = kafka ? 'stack' : 'embedded'
    for (const events of [10, 500]) await measure(bench, kind, { name: `batches of ${events}`, events, connections: 64 })
    await measure(bench, kind, { name: 'batches of 100, gzip', events: 100, connections: 64, requests: written(gzippedRequests(100, AUTHORIZATION)) })
    const mixed = mixedRequests(WRITE_KEY)
    await measure(bench, kind, { name: '8 protocols in turn', events: mixed.eventsEach, connections: 128, requests: written(mixed.requests) })
    await addChecks(figures)
  } finally {
    await kafka?.stop()
    await redis?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const addChecks = async (figures: Figures): Promise<void> => {
  for (const line of (await outputOf(join(import.meta.dirname, 'ingest-checks.mjs'), [])).trim().split('\n')) {
    const [name, how, micros] = JSON.parse(line) as [name: string, how: string, micros: number]
    figures.add('ingest', `check: ${name}`, micros, 'µs/event', how)
  }
}

interface Bench {
  readonly figures: Figures
  readonly generator: Generator
  readonly seconds: IngestSeconds
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

interface Work {
  readonly name: string
  /** Events a request, on the average. */
  readonly events: number
  readonly connections: number
  readonly requests?: string
}

/** As compose and `npm run stack` start it; the baselines have it, too. */
const FLAGS = ['--max-semi-space-size=32']

const HOW: Readonly<Record<string, string>> = {
  bare: 'node:http that reads the body', parse: 'fastify that parses JSON, no sink', 'record-each': 'fastify, JSON.parse, kafkajs with a record an event, acks=all',
  embedded: 'ingest on the embedded log, fsync before the answer', stack: 'ingest on Kafka, acks=all, idempotent producer',
}

/** @returns microseconds of CPU by event */
const measure = async ({ figures, generator, seconds, folder, env }: Bench, kind: string, { name, events, connections, requests }: Work): Promise<number> => {
  const data = mkdtempSync(join(folder, 'data-'))
  const child = spawn(process.execPath, [...FLAGS, join(import.meta.dirname, 'ingest-server.mjs'), kind, data], {
    stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env, UV_THREADPOOL_SIZE: '16' },
  })
  const killed = (): void => void child.kill('SIGKILL')
  process.once('exit', killed)
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const what = (run: string): Load['what'] => (requests === undefined ? { batch: events, run, authorization: AUTHORIZATION } : { requests })
    const send = (run: string, time: number) => generator.send({ url: String(line).trim(), connections, seconds: time, what: what(run) })
    // Compilers and caches warm up first.
    await send('warm', seconds.warm)
    const before = cpuMicros(child.pid!)
    const sent = await send('run', seconds.measured)
    const micros = (cpuMicros(child.pid!) - before) / (sent.requests * events)
    if (sent.refused + sent.broken > 0) throw new Error(`${kind}, ${name}: ${sent.refused} requests were refused and ${sent.broken} broken`)
    const rate = Math.round((sent.requests * events) / seconds.measured).toLocaleString('en-US')
    figures.add('ingest', `${kind}, ${name}`, micros, 'µs/event', `${HOW[kind]}; ${generator.name}, ${connections} connections, ${rate}/s, ${memoryOf(child.pid!).residentMb} MB`)
    return micros
  } finally {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
    process.off('exit', killed)
  }
}
