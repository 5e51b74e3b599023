import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startKafkaBroker, type KafkaBroker } from '../../../infra/local/kafka/broker.mjs'

export { kafkaMissing } from '../../../infra/local/kafka/jars.mjs'

/** A real Apache Kafka (one broker, KRaft) on 127.0.0.1, for the time of a test: `stop` removes its folder. */
export type RunningKafka = Pick<KafkaBroker, 'brokers' | 'start' | 'kill' | 'stop'>

/** Fetches the jars from Maven Central once into `cacheFolder`, then starts a broker on free ports. */
export const startKafka = async (cacheFolder: string): Promise<RunningKafka> => {
  const folder = join(tmpdir(), `millrace-kafka-${process.pid}-${process.hrtime.bigint()}`)
  const broker = await startKafkaBroker({ cacheFolder, folder })
  return {
    ...broker,
    async stop() {
      await broker.kill()
      await broker.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
