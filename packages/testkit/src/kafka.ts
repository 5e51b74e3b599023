import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startKafkaBroker, type KafkaBroker, type KafkaBrokerOptions } from '../../../infra/local/kafka/broker.mjs'
import { freePort } from './listening.ts'

export { kafkaMissing } from '../../../infra/local/kafka/jars.mjs'

/** A real Apache Kafka (one broker, KRaft) on 127.0.0.1, for the time of a test: `stop` removes its folder. */
export type RunningKafka = Pick<KafkaBroker, 'brokers' | 'processId' | 'start' | 'kill' | 'stop'>

/** Fetches the jars from Maven Central once into `cacheFolder`, then starts a broker on free ports. */
export const startKafka = async (cacheFolder: string, options: Partial<KafkaBrokerOptions> = {}): Promise<RunningKafka> => {
  const folder = join(tmpdir(), `millrace-kafka-${process.pid}-${process.hrtime.bigint()}`)
  const broker = await startKafkaBroker({ cacheFolder, folder, ...options })
  return {
    ...broker,
    async stop() {
      await broker.kill()
      await broker.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export interface KafkaCluster {
  readonly brokers: readonly string[]
  /** Each by itself, to be killed and started again. */
  readonly members: readonly RunningKafka[]
  stop(): Promise<void>
}

/** Several brokers that are one cluster; a majority must run. */
export const startKafkaCluster = async (cacheFolder: string, size: number): Promise<KafkaCluster> => {
  const controllerPorts = await Promise.all(Array.from({ length: size }, freePort))
  const started = await Promise.allSettled(controllerPorts.map((controllerPort, index) =>
    startKafka(cacheFolder, { controllerPort, cluster: { nodeId: index + 1, controllerPorts }, memoryMb: 384 })))
  const members = started.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const stop = async (): Promise<void> => void (await Promise.all(members.map((member) => member.stop())))
  const failed = started.find((outcome) => outcome.status === 'rejected')
  if (failed) {
    await stop()
    throw failed.reason
  }
  return { brokers: members.flatMap(({ brokers }) => brokers), members, stop }
}
