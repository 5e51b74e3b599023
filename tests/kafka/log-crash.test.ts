import { createKafkaLog, ensureKafkaTopics } from '@millrace/adapters'
import { chanceFrom, topics } from '@millrace/contracts'
import type { EventLog, HotStore } from '@millrace/ports'
import { kafkaMissing, startKafka, type RunningKafka } from '@millrace/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cache, createWorkers, feed, judge, settled, until } from './pipeline.ts'
import { skipped } from '../support/requirements.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 3)
const missing = kafkaMissing()
const skip = skipped(['kafka'], 'kills of the log on Kafka', missing)

/** Each costs the start of a process and a session of the group. */
const POINTS = ['transaction.before-end:copy', 'step.after-commit:copy', 'sink.inserted']
const MORE_POINTS = ['step.before-commit:copy', 'transaction.after-send:copy', 'sink.declared', 'transaction.before-end:sink']
const points = process.env['MILLRACE_LONG'] === '1' ? [...POINTS, ...MORE_POINTS] : POINTS
const SETTLE_MS_MAX = 120_000

describe.skipIf(skip)('P1, P2: a copy that is killed from inside, at each point of a step', () => {
  let broker: RunningKafka
  let log: EventLog
  beforeAll(async () => {
    broker = await startKafka(cache)
    await ensureKafkaTopics(broker.brokers, { prefix: 'kill-' })
    log = await createKafkaLog({ brokers: broker.brokers, slot: 'feeder', hot: {} as HotStore, prefix: 'kill-' })
  })
  afterAll(async () => {
    await log?.close()
    await broker?.stop()
  })

  it(`loses nothing, repeats nothing, and its state agrees (${points.length} points, seed ${SEED})`, async () => {
    const chance = chanceFrom(SEED)
    const workers = createWorkers({ brokers: broker.brokers, prefix: 'kill-', sessionTimeoutMs: 1_500, transactionTimeoutMs: 20_000 })
    let over = false
    const feeding = feed(log, 20, () => over)
    try {
      for (const point of points) expect(await workers.start('0', { point, hit: 1 + chance.below(5) }).ended, point).toMatchObject({ signal: 'SIGKILL' })
      over = true
      const { acked } = await feeding
      workers.start('0')
      expect(await until(() => settled(log, workers.state, acked), SETTLE_MS_MAX)).toBe(true)
      const outcome = await judge(log, workers.state, acked)
      process.stdout.write(`kafka kills: ${JSON.stringify({ ...outcome, acked: acked.length, ...workers.counts, ...workers.state.counts, faults: workers.faults() })}\n`)
      expect(outcome).toMatchObject({ lost: 0, twice: 0, outOfOrder: 0, ackedLost: 0, sinkLost: 0, sinkTwice: 0, wrongState: 0 })
      // Killed between insert and position: the batch came again, as it was declared.
      expect(workers.state.counts.tokensRepeated).toBeGreaterThan(0)
    } finally {
      over = true
      await workers.stopAll()
    }
  })

  it('refuses an append within its bound while the broker is away, keeps what it acknowledged, and goes on', async () => {
    const before = (await log.extents(topics.rejected.name))[0]!.next
    const value = Buffer.from('acknowledged')
    await log.append([{ topic: topics.rejected.name, partition: 0, value }])
    await broker.kill()
    const refused = log.append([{ topic: topics.rejected.name, partition: 0, value: Buffer.from('while it is away') }])
    await expect(refused).rejects.toMatchObject({ name: 'LogUnavailable', code: 'LOG_BUSY', retryAfterSeconds: 2 })
    await expect(log.ready()).rejects.toMatchObject({ name: 'LogUnavailable', code: 'LOG_BUSY' })
    await broker.start()
    expect(await until(() => log.ready().then(() => true, () => false), 60_000)).toBe(true)
    expect(await until(() => log.append([{ topic: topics.rejected.name, partition: 0, value: Buffer.from('after') }]).then(() => true, () => false), 60_000)).toBe(true)
    const texts = (await log.read(topics.rejected.name, 0, before, { recordsMax: 100, bytesMax: 100_000 })).map((record) => String(Buffer.from(record.value)))
    expect(texts[0]).toBe('acknowledged')
    expect(texts.at(-1)).toBe('after')
  })
})
