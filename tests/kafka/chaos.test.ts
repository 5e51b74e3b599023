import { createKafkaLog, ensureKafkaTopics } from '@millrace/adapters'
import { chanceFrom } from '@millrace/contracts'
import type { EventLog, HotStore } from '@millrace/ports'
import { kafkaMissing, startKafka, type RunningKafka } from '@millrace/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cache, createWorkers, feed, judge, settled, until, type Workers } from './pipeline.ts'
import { skipped } from '../support/requirements.ts'

const LONG = process.env['MILLRACE_LONG'] === '1'
const SEED = Number(process.env['MILLRACE_SEED'] ?? 5)
const missing = kafkaMissing()
const skip = skipped(['kafka'], 'chaos on Kafka', missing)

/** In the long form the stop is longer than the session, shorter than the transaction: it sleeps with its transaction alive. */
const PLAN = LONG
  ? { copies: 3, copiesMax: 5, minutes: 4.5, stopMs: 30_000, sessionTimeoutMs: 3_000, transactionTimeoutMs: 60_000, pauseMs: 30, brokerKills: 3 }
  : { copies: 2, copiesMax: 3, minutes: 0.15, stopMs: 2_500, sessionTimeoutMs: 1_200, transactionTimeoutMs: 8_000, pauseMs: 20, brokerKills: 0 }
const STOP_POINTS = ['transaction.after-send:copy', 'transaction.before-end:copy', 'transaction.before-end:sink', 'step.after-commit:copy', 'sink.declared', 'sink.inserted']
const KILL_POINTS = ['step.before-commit:copy', 'transaction.after-send:copy', 'transaction.before-end:copy', 'step.after-commit:copy', 'transaction.before-end:sink', 'sink.declared', 'sink.inserted']
const SETTLE_MS_MAX = 180_000
/** The log of the test itself keeps no state. */
const NO_STATE = {} as HotStore

describe.skipIf(skip)('P1, P2: the log on Kafka under kill -9, stops, copies that come and go', () => {
  let broker: RunningKafka
  let log: EventLog
  beforeAll(async () => {
    broker = await startKafka(cache)
  })
  afterAll(async () => {
    await log?.close()
    await broker?.stop()
  })

  it(`loses nothing, passes nothing on twice and keeps the order (${LONG ? 'long' : 'short'}, seed ${SEED})`, async () => {
    await ensureKafkaTopics(broker.brokers, { prefix: 'chaos-' })
    log = await createKafkaLog({ brokers: broker.brokers, slot: 'feeder', hot: NO_STATE, prefix: 'chaos-' })
    const workers = createWorkers({ brokers: broker.brokers, prefix: 'chaos-', sessionTimeoutMs: PLAN.sessionTimeoutMs, transactionTimeoutMs: PLAN.transactionTimeoutMs })
    let over = false
    const feeding = feed(log, PLAN.pauseMs, () => over)
    try {
      await disturb(workers, broker)
      over = true
      const { acked, refused } = await feeding
      const calm = await until(() => settled(log, workers.state, acked), SETTLE_MS_MAX)
      const outcome = await judge(log, workers.state, acked)
      process.stdout.write(`kafka chaos: ${JSON.stringify({ ...outcome, acked: acked.length, refused, ...workers.counts, ...workers.state.counts, faults: workers.faults(), seed: SEED })}\n`)
      expect(calm).toBe(true)
      expect(outcome).toMatchObject({ lost: 0, twice: 0, outOfOrder: 0, ackedLost: 0, sinkLost: 0, sinkTwice: 0, wrongState: 0 })
      expect(outcome.events).toBeGreaterThan(1_000)
      expect(workers.counts.killed + workers.counts.stopped).toBeGreaterThan(2)
    } finally {
      over = true
      await workers.stopAll()
    }
  })
})

const disturb = async (workers: Workers, broker: RunningKafka): Promise<void> => {
  const chance = chanceFrom(SEED)
  const slots = Array.from({ length: PLAN.copiesMax }, (_, index) => String(index))
  /** Half of those that come later kill themselves inside a step. */
  const start = (slot: string): void => void workers.start(slot, chance.happens(0.5) ? { point: chance.pick(KILL_POINTS), hit: 2 + chance.below(LONG ? 60 : 10) } : undefined)
  await Promise.all(slots.slice(0, PLAN.copies).map((slot) => workers.start(slot).saw('started')))
  const begun = performance.now()
  const ms = PLAN.minutes * 60_000
  let brokerKills = 0
  let stopped: string | null = null
  let stopping: Promise<void> = Promise.resolve()
  const done: string[] = []
  for (let round = 0; performance.now() - begun < ms; round++) {
    const running = workers.slots()
    const awake = running.filter((slot) => slot !== stopped)
    const action = chance.next()
    if (performance.now() - begun > ((brokerKills + 1) * ms) / (PLAN.brokerKills + 1)) {
      brokerKills++
      done.push('broker')
      await broker.kill()
      await broker.start()
    } else if (stopped === null && awake.length > 1 && (action < 0.3 || round === 0)) {
      stopped = chance.pick(awake)
      const point = chance.pick(STOP_POINTS)
      done.push(`stop ${stopped} at ${point}`)
      stopping = workers.stopInside(stopped, point, PLAN.stopMs).finally(() => (stopped = null))
    } else if (awake.length > 1 && action < (LONG ? 0.7 : 0.9)) {
      const slot = chance.pick(awake)
      done.push(`kill ${slot}`)
      await workers.kill(slot)
    } else if (running.length > PLAN.copies && awake.length > 1) {
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
  for (const slot of slots.slice(0, PLAN.copies)) if (!workers.slots().includes(slot)) workers.start(slot)
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
