import { setTimeout as pause } from 'node:timers/promises'
import { createKafkaLog, ensureKafkaTopics } from '@millrace/adapters'
import { chanceFrom } from '@millrace/contracts'
import type { EventLog, HotStore } from '@millrace/ports'
import { kafkaMissing, startKafkaCluster, type KafkaCluster } from '@millrace/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cache, createWorkers, feed, judge, settled, until, type Workers } from './pipeline.ts'
import { skipped } from '../support/requirements.ts'

const LONG = process.env['MILLRACE_LONG'] === '1'
const SEED = Number(process.env['MILLRACE_SEED'] ?? 5)
const missing = kafkaMissing()
const skip = skipped(['kafka'], 'chaos on Kafka', missing)

interface Plan {
  readonly brokers: number
  readonly brokerKills: number
  readonly copies: number
  readonly copiesMax: number
  readonly minutes: number
  readonly stopMs: number
  readonly sessionTimeoutMs: number
  readonly transactionTimeoutMs: number
  readonly pauseMs: number
}

/** In the long form the stop is longer than the session, shorter than the transaction: it sleeps with its transaction alive. */
const PLAN = LONG
  ? { copies: 3, copiesMax: 5, minutes: 4.5, stopMs: 30_000, sessionTimeoutMs: 3_000, transactionTimeoutMs: 60_000, pauseMs: 30 }
  : { copies: 2, copiesMax: 3, minutes: 0.15, stopMs: 2_500, sessionTimeoutMs: 1_200, transactionTimeoutMs: 8_000, pauseMs: 20 }
/** Of several brokers one at a time is killed, whatever it leads; clients go on with the others. */
const PLANS: readonly Plan[] = [{ ...PLAN, brokers: 1, brokerKills: LONG ? 3 : 0 }, ...(LONG ? [{ ...PLAN, brokers: 3, brokerKills: 12 }] : [])]
if (!LONG && !skip) process.stdout.write('SKIPPED chaos on three brokers of Kafka: MILLRACE_LONG=1 runs it\n')
const STOP_POINTS = ['transaction.after-send:copy', 'transaction.before-end:copy', 'transaction.before-end:sink', 'step.after-commit:copy', 'sink.declared', 'sink.inserted']
const KILL_POINTS = ['step.before-commit:copy', 'transaction.after-send:copy', 'transaction.before-end:copy', 'step.after-commit:copy', 'transaction.before-end:sink', 'sink.declared', 'sink.inserted']
const SETTLE_MS_MAX = 180_000
/** The log of the test itself keeps no state. */
const NO_STATE = {} as HotStore

describe.skipIf(skip).each(PLANS)('P1, P2: the log on a Kafka of $brokers under kill -9, stops, copies that come and go', (plan) => {
  let cluster: KafkaCluster
  let log: EventLog
  beforeAll(async () => {
    cluster = await startKafkaCluster(cache, plan.brokers)
  })
  afterAll(async () => {
    await log?.close()
    await cluster?.stop()
  })

  it(`loses nothing, passes nothing on twice and keeps the order (${LONG ? 'long' : 'short'}, seed ${SEED})`, async () => {
    const { brokers } = cluster
    await ensureKafkaTopics(brokers, { prefix: 'chaos-', replication: plan.brokers })
    log = await createKafkaLog({ brokers, slot: 'feeder', hot: NO_STATE, prefix: 'chaos-' })
    const workers = createWorkers({ brokers, prefix: 'chaos-', sessionTimeoutMs: plan.sessionTimeoutMs, transactionTimeoutMs: plan.transactionTimeoutMs })
    let over = false
    const feeding = feed(log, plan.pauseMs, () => over)
    try {
      const brokerKills = await disturb(workers, cluster, plan)
      over = true
      const { acked, refused } = await feeding
      const calm = await until(() => settled(log, workers.state, acked), SETTLE_MS_MAX)
      const outcome = await judge(log, workers.state, acked)
      process.stdout.write(`kafka chaos: ${JSON.stringify({ brokers: plan.brokers, brokerKills, ...outcome, acked: acked.length, refused, ...workers.counts, ...workers.state.counts, faults: workers.faults(), seed: SEED })}\n`)
      expect(calm).toBe(true)
      expect(outcome).toMatchObject({ lost: 0, twice: 0, outOfOrder: 0, ackedLost: 0, sinkLost: 0, sinkTwice: 0, wrongState: 0 })
      expect(outcome.events).toBeGreaterThan(1_000)
      expect(workers.counts.killed + workers.counts.stopped).toBeGreaterThan(2)
      expect(brokerKills).toBe(plan.brokerKills)
    } finally {
      over = true
      await workers.stopAll()
    }
  })
})

/** @returns how often a broker was killed */
const disturb = async (workers: Workers, { members }: KafkaCluster, plan: Plan): Promise<number> => {
  const chance = chanceFrom(SEED)
  const slots = Array.from({ length: plan.copiesMax }, (_, index) => String(index))
  /** Half of those that come later kill themselves inside a step. */
  const start = (slot: string): void => void workers.start(slot, chance.happens(0.5) ? { point: chance.pick(KILL_POINTS), hit: 2 + chance.below(LONG ? 60 : 10) } : undefined)
  await Promise.all(slots.slice(0, plan.copies).map((slot) => workers.start(slot).saw('started')))
  const begun = performance.now()
  const ms = plan.minutes * 60_000
  let brokerKills = 0
  let stopped: string | null = null
  let stopping: Promise<void> = Promise.resolve()
  const done: string[] = []
  // A slow machine takes longer over it, and does as much.
  for (let round = 0; performance.now() - begun < ms || brokerKills < plan.brokerKills; round++) {
    const running = workers.slots()
    const awake = running.filter((slot) => slot !== stopped)
    const action = chance.next()
    if (brokerKills < plan.brokerKills && performance.now() - begun > ((brokerKills + 1) * ms) / (plan.brokerKills + 1) && !done.at(-1)?.startsWith('broker')) {
      const broker = members[chance.below(members.length)]!
      brokerKills++
      done.push(`broker ${broker.brokers[0]}`)
      await broker.kill()
      // Long enough for the others to take over what it led.
      if (members.length > 1) await pause(LONG ? 5_000 : 1_000)
      await broker.start()
    } else if (stopped === null && awake.length > 1 && (action < 0.3 || round === 0)) {
      stopped = chance.pick(awake)
      const point = chance.pick(STOP_POINTS)
      done.push(`stop ${stopped} at ${point}`)
      stopping = workers.stopInside(stopped, point, plan.stopMs).finally(() => (stopped = null))
    } else if (awake.length > 1 && action < (LONG ? 0.7 : 0.9)) {
      const slot = chance.pick(awake)
      done.push(`kill ${slot}`)
      await workers.kill(slot)
    } else if (running.length > plan.copies && awake.length > 1) {
      const slot = chance.pick(awake)
      done.push(`remove ${slot}`)
      await workers.remove(slot)
    }
    await pause(LONG ? 1_000 + chance.below(4_000) : 400 + chance.below(800))
    const idle = slots.filter((slot) => !workers.slots().includes(slot))
    if (idle.length > 0) start(chance.pick(idle))
  }
  await stopping
  process.stdout.write(`kafka chaos: ${done.join(', ')}\n`)
  for (const slot of slots.slice(0, plan.copies)) if (!workers.slots().includes(slot)) workers.start(slot)
  return brokerKills
}
