import { writeFileClock } from '@millrace/adapters'
import { startMillrace, type Millrace, type MillraceOptions } from '../support/millrace.ts'
import { createClient } from './client.ts'
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

const RETRY_MS = 10
/** A process may hold on to a time that it read just before: an event of after it would be set back to it. */
const CLOCK_SEEN_MS = 10

/** An SDK-like client: one batch at a time, sent again until it is acknowledged; the process is started again when it died. */
export const drive = async (plan: Plan, kills: readonly Kill[], options: MillraceOptions, clockFile: string): Promise<Driven> => {
  const died = new Map<string, number>()
  const waiting = [...kills]
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
  const client = createClient(alive, RETRY_MS)

  const batches: PlannedBatch[] = []
  for (const [index, planned] of plan.batches.entries()) {
    await alive()
    // A kill inside a backfill needs one: a segment of its own is created for it.
    const batch = current?.kind === 'backfill' && batchesSinceStart === 1 ? { ...planned, segment: segmentAt(`backfilled at ${index}`, index) } : planned
    batches.push(batch)
    await tell(clockFile, batch.clock)
    await client.send(batch)
    if (++batchesSinceStart > patience && current && millrace) {
      current = { ...current, kind: 'anywhere' }
      await millrace.kill()
    }
  }
  // The last one is still armed where its point was not reached: it is killed now, and the next is left in peace.
  if (current && (await alive()) && current) {
    waiting.length = 0
    current = { ...current, kind: 'anywhere' }
    await millrace!.kill()
  }
  writeFileClock(clockFile, plan.endsAt)
  return { acknowledged: client.acknowledged, kills: died, refusals: client.counts.refusals, done: { ...plan, batches }, millrace: await alive() }
}

/** All processes have seen the time behind it. */
export const tell = async (clockFile: string, time: number): Promise<void> => {
  writeFileClock(clockFile, time)
  await new Promise((resolve) => setTimeout(resolve, CLOCK_SEEN_MS))
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
