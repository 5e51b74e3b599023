import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmbeddedHotStore, createKafkaLog, ensureKafkaTopics, createSystemClock, openLmdb } from '@millrace/adapters'
import { eventLogSuite } from '@millrace/ports/suites'
import { kafkaMissing, startKafka, type RunningKafka } from '@millrace/testkit'
import { afterAll, beforeAll, describe } from 'vitest'

const missing = kafkaMissing()
const cache = join(import.meta.dirname, '../../node_modules/.cache/millrace')
if (missing) process.stdout.write(`SKIPPED the event log on Kafka: ${missing}\n`)

describe.skipIf(missing)('on a real Kafka', () => {
  let broker: RunningKafka
  let made = 0
  beforeAll(async () => {
    broker = await startKafka(cache)
  }, 120_000)
  afterAll(() => broker?.stop())

  eventLogSuite('kafka', async ({ waitingBytesMax }) => {
    const prefix = `t${made++}-`
    const dir = await mkdtemp(join(tmpdir(), 'millrace-kafka-state-'))
    const root = await openLmdb(dir)
    const hot = createEmbeddedHotStore({ root, clock: createSystemClock() })
    await ensureKafkaTopics(broker.brokers, { prefix })
    const open = () => createKafkaLog({ brokers: broker.brokers, slot: '0', hot, prefix, ...(waitingBytesMax === undefined ? {} : { waitingBytesMax }) })
    let log = await open()
    return {
      log,
      async reopen() {
        await log.close()
        log = await open()
        return log
      },
      async dispose() {
        await log.close()
        await hot.close()
        await root.close()
        await rm(dir, { recursive: true })
      },
    }
  })
})
