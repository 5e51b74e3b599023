import { writeSync } from 'node:fs'
import { topics } from '@millrace/contracts'
import type { Batch, Document, EventLog, HotStore, Step } from '@millrace/ports'
import { createEmbedded } from '@millrace/wiring'

/**
 * The process that the crash test kills: it appends, copies and counts as fast as it can, and tells on its
 * standard output what was acknowledged. It kills itself at the `hit`th time at `point`.
 */
const [dataDir, first, point, hit] = process.argv.slice(2) as [string, string, string, string]

const say = (line: string): void => {
  writeSync(1, `${line}\n`)
}

// Whoever started it is gone: it must not go on for ever.
process.on('disconnect', () => process.exit(1))

let hits = 0
const probe = (at: string): void => {
  if (at === point && ++hits === Number(hit)) process.kill(process.pid, 'SIGKILL')
}

const copy = ({ records, end }: Batch, partition: number, count: number): Step => ({
  outputs: records.map(({ value }) => ({ topic: topics.resolved.name, partition, value })),
  metadata: String(end),
  state: {
    scope: `copy:${partition}`, watermark: end, deletes: [],
    puts: [['count', count], ...records.map(({ offset }) => [`at:${offset}`, { offset }] as const)],
    timers: [['next', end]],
  },
})

const consume = (log: EventLog, hot: HotStore) =>
  log.consume({
    group: 'copy', topics: [topics.accepted.name], batchRecordsMax: 7, batchBytesMax: 100_000, lingerMs: 0,
    open: async ({ partition, committed }) => {
      let count = ((await hot.get(`copy:${partition}`, ['count']))[0] as number | undefined) ?? 0
      return {
        from: committed.offset,
        handle: async (batch) => copy(batch, partition, (count += batch.records.length)),
        close: async () => {},
      }
    },
    onFault: (error) => say(`fault ${String(error)}`),
  })

const append = async (log: EventLog, partition: number): Promise<never> => {
  for (let n = Number(first); ; n++) {
    const value = Buffer.from(`${partition}:${n}`)
    // Two records an append: both or none must be there.
    await log.append([value, Buffer.from(`${partition}:${n}b`)].map((bytes) => ({ topic: topics.accepted.name, partition, value: bytes })))
    say(`acked ${partition} ${n}`)
  }
}

const update = async (hot: HotStore): Promise<never> => {
  for (;;) {
    const after = await hot.update('direct', 'counter', (before: Document | undefined) => ((before as number | undefined) ?? 0) + 1)
    say(`updated ${String(after)}`)
  }
}

const { log, hot } = await createEmbedded({ dataDir, probe, freeBytesMin: 0 })
await consume(log, hot)
say('started')
await Promise.all([...[0, 1, 2, 3].map((partition) => append(log, partition)), update(hot)])
