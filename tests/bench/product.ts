import type { Millrace } from '../support/millrace.ts'
import { sleep } from './watch.ts'

const STORED_WAIT_MS_MAX = 600_000

/** Resolves when SQL counts that many events. */
export const untilStored = async (millrace: Millrace, events: number): Promise<void> => {
  const deadline = performance.now() + STORED_WAIT_MS_MAX
  for (;;) {
    const [row] = await millrace.sql<{ n: number }>('SELECT toUInt32(count()) AS n FROM millrace.events')
    if (row!.n >= events) return
    if (performance.now() > deadline) throw new Error(`only ${row!.n} of ${events} events are stored`)
    await sleep(100)
  }
}

/** Resolves when every consumer has handled everything and all profiles are in ClickHouse, looked at twice. */
export const untilDrained = async (millrace: Millrace): Promise<void> => {
  const deadline = performance.now() + STORED_WAIT_MS_MAX
  for (let quiet = 0; quiet < 2; ) {
    const left = await backlogOf(millrace)
    quiet = left.length === 0 ? quiet + 1 : 0
    if (performance.now() > deadline) throw new Error(`not drained: ${left.join(', ')}`)
    // Lags are asked of the log once a second at most.
    await sleep(1_100)
  }
}

/** What waits where, as `group topic: records`; nothing when all is drained. */
export const backlogOf = async (millrace: Millrace): Promise<readonly string[]> => {
  const text = await (await fetch(`${millrace.url}/metrics`)).text()
  const lags = new Map<string, number>()
  for (const [, group, topic, records] of text.matchAll(/^millrace_consumer_lag_records\{group="(\w+)",topic="([\w.]+)",partition="\d+"\} (\d+)/gm)) {
    lags.set(`${group} ${topic}`, (lags.get(`${group} ${topic}`) ?? 0) + Number(records))
  }
  const waiting = Number(/^millrace_profile_builder_snapshots_waiting (\d+)/m.exec(text)?.[1])
  return [...lags, ['profiles', waiting] as const].filter(([, records]) => records > 0).map(([name, records]) => `${name}: ${records}`)
}

/** The longest delay of the event loop since the last call, in milliseconds; each reading of /metrics starts it anew. */
export const eventLoopMaxMs = async (millrace: Millrace): Promise<number> => {
  const text = await (await fetch(`${millrace.url}/metrics`)).text()
  return Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(text)?.[1]) * 1000
}
