import { processesOf, type Millrace } from '../support/millrace.ts'
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

/** Resolves when every consumer has handled everything and all profiles are in ClickHouse, looked at twice. @returns when that was seen first, as performance.now() */
export const untilDrained = async (millrace: Millrace): Promise<number> => {
  const deadline = performance.now() + STORED_WAIT_MS_MAX
  for (let since: number | null = null; ; ) {
    const at = performance.now()
    const left = await backlogOf(millrace)
    if (left.length === 0 && since !== null) return since
    since = left.length === 0 ? at : null
    if (at > deadline) throw new Error(`not drained: ${waitingText(left)}`)
    // Lags are asked of the log once a second at most.
    await sleep(1_100)
  }
}

export interface Waiting {
  /** `group topic`. */
  readonly name: string
  readonly records: number
}

/** What waits where; nothing when all is drained. One that hangs or is away tells nothing. */
export const backlogOf = async (millrace: Millrace): Promise<readonly Waiting[]> => {
  const texts = await Promise.all(processesOf(millrace).map((url) => fetch(`${url}/metrics`, { signal: AbortSignal.timeout(FIGURES_MS_MAX) }).then((answer) => answer.text(), () => '')))
  const lags = new Map<string, number>()
  for (const [, group, topic, records] of texts.join('\n').matchAll(/^millrace_consumer_lag_records\{group="(\w+)",topic="([\w.]+)",partition="\d+"\} (\d+)/gm)) {
    lags.set(`${group} ${topic}`, (lags.get(`${group} ${topic}`) ?? 0) + Number(records))
  }
  const waiting = Number(/^millrace_profile_builder_snapshots_waiting (\d+)/m.exec(texts.join('\n'))?.[1] ?? 0)
  return [...lags, ['profiles', waiting] as const].filter(([, records]) => records > 0).map(([name, records]) => ({ name, records }))
}

export const waitingText = (waiting: readonly Waiting[]): string => waiting.map(({ name, records }) => `${name}: ${records}`).join(', ') || 'nothing'

const FIGURES_MS_MAX = 2_000

/** The longest delay of the event loop since the last call, in milliseconds; each reading of /metrics starts it anew. */
export const eventLoopMaxMs = async (millrace: Millrace): Promise<number> => {
  const text = await (await fetch(`${millrace.url}/metrics`)).text()
  return Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(text)?.[1]) * 1000
}
