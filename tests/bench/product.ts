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

/** The longest delay of the event loop since the last call, in milliseconds; each reading of /metrics starts it anew. */
export const eventLoopMaxMs = async (millrace: Millrace): Promise<number> => {
  const text = await (await fetch(`${millrace.url}/metrics`)).text()
  return Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(text)?.[1]) * 1000
}
