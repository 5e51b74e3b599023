import { writeFileClock } from '@millrace/adapters'
import { startMillrace, type Millrace, type MillraceOptions } from '../support/millrace.ts'
import { consumersBehind, finalState, type FinalState } from './outcome.ts'
import { segmentAt, type Plan, type PlannedBatch } from './plan.ts'

/** How one start of the process is to end; null: it is not killed. */
export interface Kill {
  /** `point:nth` or `point:nth+milliseconds`, as the process understands it. */
  readonly probe: string
  /** What the table of kill points calls it. */
  readonly kind: string
}

export interface Driven {
  readonly acknowledged: ReadonlySet<string>
  readonly kills: ReadonlyMap<string, number>
  readonly refusals: number
  /** What was done, segments created on the way included: the calm run does the same. */
  readonly done: Plan
  /** Running still, everything sent. */
  readonly millrace: Millrace
}

const ANSWER_TIMEOUT_MS = 20_000
const RETRY_MS = 10
/** The process may hold on to a time that it read just before: an event of after it would be set back to it. */
const CLOCK_SEEN_MS = 10

/** An SDK-like client: one batch at a time, sent again until it is acknowledged; the process is started again when it died. */
export const drive = async (plan: Plan, kills: readonly Kill[], options: MillraceOptions, clockFile: string): Promise<Driven> => {
  const acknowledged = new Set<string>()
  const died = new Map<string, number>()
  const waiting = [...kills]
  let refusals = 0
  let current: Kill | undefined
  let batchesSinceStart = 0
  // What the traffic does not reach in its share of the run is killed all the same, wherever it stands.
  const patience = Math.ceil(plan.batches.length / Math.max(1, kills.length)) * 2
  let millrace: Millrace | undefined
  writeFileClock(clockFile, plan.startsAt)

  const start = async (): Promise<Millrace> => {
    for (;;) {
      current = waiting.shift()
      batchesSinceStart = 0
      try {
        return await startMillrace({ ...options, env: { ...options.env, MILLRACE_TEST_CLOCK: clockFile, ...(current ? { MILLRACE_PROBE_KILL: current.probe } : {}) } })
      } catch (error) {
        // It may die while it starts: that is a kill, too.
        if (!current || !String(error).includes('SIGKILL')) throw error
        count(current)
      }
    }
  }
  const count = (kill: Kill): void => void died.set(kill.kind, (died.get(kill.kind) ?? 0) + 1)
  const alive = async (): Promise<Millrace> => {
    millrace ??= await start()
    const ended = await Promise.race([millrace.ended, Promise.resolve(null)])
    if (ended === null) return millrace
    if (ended !== 'SIGKILL' || !current) throw new Error(`the process ended by itself: ${ended}\n${millrace.output()}`)
    count(current)
    millrace = await start()
    return millrace
  }
  const until = async (attempt: (millrace: Millrace) => Promise<boolean>): Promise<void> => {
    for (;;) {
      const done = await attempt(await alive()).catch(() => false)
      if (done) return
      refusals++
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  const batches: PlannedBatch[] = []
  for (const [index, planned] of plan.batches.entries()) {
    await alive()
    // A kill inside a backfill needs one: a segment of its own is created for it.
    const batch = current?.kind === 'backfill' && batchesSinceStart === 1 ? { ...planned, segment: segmentAt(`backfilled at ${index}`, index) } : planned
    batches.push(batch)
    writeFileClock(clockFile, batch.clock)
    await new Promise((resolve) => setTimeout(resolve, CLOCK_SEEN_MS))
    if (batch.segment) await until((at) => ensureSegment(at, batch.segment!))
    await until(async (at) => (await post(at, batch)).ok)
    if (++batchesSinceStart > patience && current && millrace) {
      current = { ...current, kind: 'anywhere' }
      await millrace.kill()
    }
    batch.events.forEach(({ messageId }) => acknowledged.add(messageId))
  }
  // The last one is still armed where its point was not reached: it is killed now, and the next is left in peace.
  if (current && (await alive()) && current) {
    waiting.length = 0
    current = { ...current, kind: 'anywhere' }
    await millrace!.kill()
  }
  writeFileClock(clockFile, plan.endsAt)
  return { acknowledged, kills: died, refusals, done: { ...plan, batches }, millrace: await alive() }
}

const SETTLE_TRIES_MAX = 20

/**
 * The state when nothing is left to do. A consumer that pauses behind a fault looks as if it had finished; so the
 * process is stopped in peace until its log shows that every consumer has read to the end, and then asked.
 */
export const settledState = async (running: Millrace, options: MillraceOptions & { readonly dataDir: string }, clockFile: string): Promise<FinalState> => {
  let millrace = running
  for (let attempt = 1; ; attempt++) {
    await finalState(millrace)
    const code = await millrace.stop()
    if (code !== 0) throw new Error(`the process ended with ${code}`)
    const behind = await consumersBehind(options.dataDir)
    millrace = await startMillrace({ ...options, env: { ...options.env, MILLRACE_TEST_CLOCK: clockFile } })
    if (behind.length === 0) break
    if (attempt === SETTLE_TRIES_MAX) throw new Error(`never at the end of the log: ${behind.join(', ')}`)
  }
  const state = await finalState(millrace)
  await millrace.stop()
  return state
}

const post = (millrace: Millrace, { events }: PlannedBatch): Promise<Response> =>
  fetch(`${millrace.url}/v1/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ writeKey: millrace.writeKey, batch: events }),
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  })

/** Creating is not idempotent: after a doubtful answer it looks whether the segment is there. */
const ensureSegment = async (millrace: Millrace, segment: { name: string; rule: unknown }): Promise<boolean> => {
  const { segments } = await millrace.api<{ segments: { name: string }[] }>('/api/segments')
  if (segments.some(({ name }) => name === segment.name)) return true
  await millrace.api('/api/segments', segment)
  return true
}
