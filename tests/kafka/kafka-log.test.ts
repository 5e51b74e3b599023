import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmbeddedHotStore, createKafkaLog, ensureKafkaTopics, createSystemClock, openLmdb } from '@millrace/adapters'
import type { EventLog } from '@millrace/ports'
import { eventLogSuite } from '@millrace/ports/suites'
import { kafkaMissing, startKafka, type RunningKafka } from '@millrace/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { skipped } from '../support/requirements.ts'

const missing = kafkaMissing()
const cache = join(import.meta.dirname, '../../node_modules/.cache/millrace')
const skip = skipped(['kafka'], 'the event log on Kafka', missing)

describe.skipIf(skip)('on a real Kafka', () => {
  let broker: RunningKafka
  let made = 0
  beforeAll(async () => {
    broker = await startKafka(cache)
  })
  afterAll(() => broker?.stop())

  eventLogSuite('kafka', async ({ waitingBytesMax }) => {
    const prefix = `t${made++}-`
    const dir = await mkdtemp(join(tmpdir(), 'millrace-kafka-state-'))
    const root = await openLmdb(dir)
    const hot = createEmbeddedHotStore({ root, clock: createSystemClock() })
    await ensureKafkaTopics(broker.brokers, { prefix })
    const open = () => createKafkaLog({ brokers: broker.brokers, slot: '0', hot, prefix, ...(waitingBytesMax === undefined ? {} : { waitingBytesMax }) })
    let log = await open()
    const left: EventLog[] = []
    return {
      log,
      async reopen() {
        await log.close()
        log = await open()
        return log
      },
      // kill -9 of the broker, and nothing is closed: what is acknowledged is its promise, not the client's.
      async crash() {
        await broker.kill()
        left.push(log)
        await broker.start()
        log = await open()
        return log
      },
      async dispose() {
        for (const opened of [log, ...left]) await opened.close()
        await hot.close()
        await root.close()
        await rm(dir, { recursive: true })
      },
    }
  })
})
