import { writeFileClock } from '@millrace/adapters'
import { chanceFrom } from '@millrace/contracts'
import type { EventLog } from '@millrace/ports'
import { groupsBehind } from '@millrace/up'
import { eventually, processesOf, type Millrace } from '../support/millrace.ts'
import { createClient } from './client.ts'
import { tell } from './driver.ts'
import { finalState, type FinalState } from './outcome.ts'
import { shuffled, type Plan, type PlannedBatch } from './plan.ts'
import { REBALANCES, type FaultKind, type Faults } from './stack-faults.ts'

export interface StackRun {
  readonly acknowledged: ReadonlySet<string>
  readonly refusals: number
  /** What was done: the calm run does the same. */
  readonly done: Plan
}

export interface StackDrive {
  readonly stack: Millrace
  readonly faults: Faults
  readonly clockFile: string
  readonly seed: number
  /** Between two leaves of a copy, all along; null: only what is planned. */
  readonly rebalanceEveryMs: number | null
}

const RETRY_MS = 100
const READY_MS_MAX = 120_000
const WHOLE_MS_MAX = 5_000

/** The client sends the plan while faults come, each at its share of the batches and in an order that the seed gives. */
export const driveStack = async (plan: Plan, kinds: readonly FaultKind[], { stack, faults, clockFile, seed, rebalanceEveryMs }: StackDrive): Promise<StackRun> => {
  const client = createClient(async () => stack, RETRY_MS)
  const waiting = [...shuffled(kinds, chanceFrom(seed))]
  const background = rebalanceEveryMs === null ? async () => {} : rebalance(faults, rebalanceEveryMs)
  const batches: PlannedBatch[] = []
  let injected = 0
  for (const [index, planned] of plan.batches.entries()) {
    await tell(clockFile, planned.clock)
    let batch = planned
    while (waiting.length > 0 && index * kinds.length >= (injected + 1) * (plan.batches.length - 1)) {
      const [before, kind] = [faults.beside.length, waiting.shift()!]
      // A whole stack is hit harder than one that is half down; where copies leave all the time it may never be whole.
      await ready(stack, rebalanceEveryMs === null ? READY_MS_MAX : WHOLE_MS_MAX).catch(() => false)
      // What is down just now cannot be killed.
      await eventually(() => faults.inject[kind](planned.clock).then(() => true), Boolean, READY_MS_MAX)
      // Numbers of new keys, and so who stands for merged users, follow the order of the log: these are in it before the batch.
      batch = { ...batch, events: [...faults.beside.slice(before), ...batch.events] }
      injected++
    }
    batches.push(batch)
    await client.send(planned)
  }
  await background()
  await faults.settled()
  writeFileClock(clockFile, plan.endsAt)
  const acknowledged = new Set([...client.acknowledged, ...faults.beside.map(({ messageId }) => messageId)])
  return { acknowledged, refusals: client.counts.refusals, done: { ...plan, batches } }
}

const ready = (stack: Millrace, msMax: number): Promise<boolean> => eventually(() => fetch(`${stack.url}/readyz`).then((answer) => answer.ok), Boolean, msMax)

/** Copies leave one after the other, whatever else goes on. @returns what ends it */
const rebalance = (faults: Faults, everyMs: number): (() => Promise<void>) => {
  let turn = 0
  const timer = setInterval(() => {
    // One that is down just then has left already.
    void faults.inject[REBALANCES[turn++ % REBALANCES.length]!](0).catch(() => undefined)
  }, everyMs)
  return async () => clearInterval(timer)
}

const spooledRecords = async (stack: Millrace): Promise<number> => {
  const texts = await Promise.all(processesOf(stack).map(async (url) => (await fetch(`${url}/metrics`)).text()))
  return texts.reduce((sum, text) => sum + Number(/^millrace_ingest_spooled_records (\d+)$/m.exec(text)?.[1] ?? 0), 0)
}

/** Longer than a session of a consumer whose process is gone. */
const STILL_MS = 8_000
const TRIES_MAX = 20

/** The state when every consumer has read to the end and nothing moves any more. */
export const settledStack = async (stack: Millrace, log: EventLog): Promise<FinalState> => {
  for (let attempt = 1; ; attempt++) {
    await ready(stack, READY_MS_MAX)
    // What ingest keeps in its spool no consumer can be behind on.
    await eventually(() => spooledRecords(stack), (records) => records === 0, READY_MS_MAX)
    const state = await finalState(stack, STILL_MS)
    const behind = await groupsBehind(log)
    if (behind.length === 0) return state
    if (attempt === TRIES_MAX) throw new Error(`never at the end of the log: ${behind.join(', ')}`)
  }
}
