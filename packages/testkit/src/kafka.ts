import { spawn, spawnSync } from 'node:child_process'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, untilListening } from './listening.ts'

const VERSION = '4.1.0'

/** A real Apache Kafka (one broker, KRaft) on 127.0.0.1, for the time of a test. */
export interface RunningKafka {
  readonly brokers: readonly string[]
  stop(): Promise<void>
}

/** Why no Kafka can be started here, or null. */
export const kafkaMissing = (): string | null => {
  const lacks = [
    ['java', '-version'],
    ['mvn', '-v'],
  ].filter(([command, flag]) => spawnSync(command!, [flag!], { stdio: 'ignore' }).status !== 0)
  return lacks.length === 0 ? null : `not found: ${lacks.map(([command]) => command).join(', ')}`
}

/** Fetches the jars from Maven Central once into `cacheFolder`, then starts a broker on free ports. */
export const startKafka = async (cacheFolder: string): Promise<RunningKafka> => {
  const jars = await fetchJars(cacheFolder)
  const folder = join(tmpdir(), `millrace-kafka-${process.pid}-${process.hrtime.bigint()}`)
  const [port, controllerPort] = [await freePort(), await freePort()]
  await mkdir(folder, { recursive: true })
  const properties = join(folder, 'server.properties')
  await writeFile(properties, serverProperties(folder, port, controllerPort))
  const java = (main: string, ...rest: string[]): string[] => ['-Xmx512m', '-cp', join(jars, '*'), main, ...rest]
  const format = spawnSync('java', java('kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qk', '-c', properties), { encoding: 'utf8' })
  if (format.status !== 0) throw new Error(`Kafka could not format its folder: ${format.stderr}`)
  const broker = spawn('java', java('kafka.Kafka', properties), { stdio: 'ignore' })
  await untilListening('Kafka', port, broker)
  return {
    brokers: [`127.0.0.1:${port}`],
    async stop() {
      const ended = new Promise((resolve) => broker.once('exit', resolve))
      broker.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const fetchJars = async (cacheFolder: string): Promise<string> => {
  const folder = join(cacheFolder, `kafka-${VERSION}`)
  const libs = join(folder, 'libs')
  if (await stat(join(folder, 'whole')).catch(() => null)) return libs
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'pom.xml'), POM)
  const maven = spawnSync('mvn', ['-q', '-B', '-f', join(folder, 'pom.xml'), 'dependency:copy-dependencies', `-DoutputDirectory=${libs}`], { encoding: 'utf8' })
  if (maven.status !== 0) throw new Error(`Maven could not fetch Kafka ${VERSION}: ${maven.stdout}${maven.stderr}`)
  await writeFile(join(folder, 'whole'), '')
  return libs
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>millrace</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies><dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency></dependencies>
</project>
`

const serverProperties = (folder: string, port: number, controllerPort: number): string =>
  `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${controllerPort}
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
log.dirs=${join(folder, 'data')}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
auto.create.topics.enable=false
`
