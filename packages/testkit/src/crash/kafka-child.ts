import { writeSync } from 'node:fs'
import { createKafkaLog } from '@millrace/adapters'
import { topics } from '@millrace/contracts'
import type { Batch, EventLog, NewRecord, Step } from '@millrace/ports'
import { stateOfParent } from './shared-state.ts'

/**
 * A copy of a service under chaos. Group `copy` passes each line of events.accepted on to a partition that depends on
 * when it is asked, and counts; group `sink` declares a batch, inserts it under a token, and says that it is done.
 * It kills itself at the `hit`th time at `killAt`, and stops itself (SIGSTOP) at a point when it is told to.
 */
export interface KafkaChildSettings {
  readonly brokers: readonly string[]
  readonly prefix: string
  readonly slot: string
  readonly sessionTimeoutMs: number
  readonly transactionTimeoutMs: number
  readonly killAt?: { readonly point: string; readonly hit: number }
}

const settings = JSON.parse(process.argv[2]!) as KafkaChildSettings
const ROUTE_MS = 1_500
const OUTPUT_PARTITIONS = topics.resolved.partitions

const say = (line: string): void => {
  writeSync(1, `${line}\n`)
}

// Whoever started it is gone: it must not go on for ever.
process.on('disconnect', () => process.exit(1))

let hits = 0
let stopAt = ''
const probe = (at: string): void => {
  if (at === settings.killAt?.point && ++hits === settings.killAt.hit) process.kill(process.pid, 'SIGKILL')
  if (at !== stopAt) return
  stopAt = ''
  say(`stopped ${at}`)
  process.kill(process.pid, 'SIGSTOP')
}
const { hot, insert } = stateOfParent()

const hash = (text: string): number => [...text].reduce((sum, char) => (Math.imul(sum, 31) + char.charCodeAt(0)) >>> 0, 7)

/** One person in twenty moves every 1.5 s: a step that is done again routes otherwise. */
const routeOf = (person: string): number => {
  const home = hash(person)
  const moves = home % 20 === 0 ? Math.floor((performance.timeOrigin + performance.now()) / ROUTE_MS) : 0
  return (home + moves) % OUTPUT_PARTITIONS
}

const linesOf = ({ records }: Batch): readonly { readonly place: string; readonly person: string }[] =>
  records.flatMap(({ partition, offset, value }) => String(Buffer.from(value)).split('\n').map((person, index) => ({ place: `${partition} ${offset} ${index}`, person })))

const copy = (batch: Batch, partition: number, count: number): Step => {
  const routed = new Map<number, string[]>()
  for (const { place, person } of linesOf(batch)) {
    const to = routeOf(person)
    routed.set(to, [...(routed.get(to) ?? []), place])
  }
  const outputs: NewRecord[] = [...routed].map(([to, places]) => ({ topic: topics.resolved.name, partition: to, value: Buffer.from(places.join('\n')) }))
  return { outputs, state: { scope: `copy:${partition}`, watermark: batch.end, puts: [['count', count]], deletes: [], timers: [] } }
}

const onFault = (error: unknown, at: { topic: string; partition: number }): void => {
  const { name, type, message, code } = error as { name?: string; type?: string; message?: string; code?: string }
  say(`fault ${type ?? code ?? name} ${at.topic}/${at.partition} ${message}`)
}

const bounds = { topics: [topics.accepted.name], batchRecordsMax: 40, batchBytesMax: 100_000, lingerMs: 0, onFault }

const consumeCopies = (log: EventLog) =>
  log.consume({
    ...bounds, group: 'copy',
    open: async ({ partition, committed }) => {
      const scope = `copy:${partition}`
      let count = ((await hot.get(scope, ['count']))[0] as number | null) ?? 0
      return {
        from: Math.min((await hot.watermark(scope)) ?? 0, committed.offset),
        scope,
        handle: async (batch) => copy(batch, partition, (count += linesOf(batch).length)),
        close: async () => {},
      }
    },
  })

const consumeSink = (log: EventLog) =>
  log.consume({
    ...bounds, group: 'sink',
    open: async ({ partition, committed, declare }) => {
      let from = committed.offset
      const declared = committed.metadata === '' ? null : (JSON.parse(committed.metadata) as { until: number }).until
      return {
        from,
        ...(declared === null ? {} : { firstBatchEnd: declared }),
        handle: async (batch) => {
          if (batch.end !== declared) await declare(JSON.stringify({ until: batch.end }))
          probe('sink.declared')
          await insert(`${partition}:${from}:${batch.end}`, linesOf(batch).map(({ place }) => place))
          probe('sink.inserted')
          from = batch.end
          return { outputs: [] }
        },
        close: async () => {},
      }
    },
  })

const log = await createKafkaLog({ ...settings, hot, probe })
process.on('message', (message: { stopAt?: string; end?: true }) => {
  if (message.stopAt) stopAt = message.stopAt
  if (message.end) void log.close().then(() => process.exit(0))
})
await Promise.all([consumeCopies(log), consumeSink(log)])
say('started')
