import { spawn, spawnSync } from 'node:child_process'
import { openSync, closeSync } from 'node:fs'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { kafkaJars } from './jars.mjs'

/** Some seconds; a machine that does much else has needed more than a minute after a kill. */
const START_TIMEOUT_MS = 180_000
const STOP_TIMEOUT_MS = 30_000
/** Kafka's own variable for how its Java virtual machine works. */
const jvmOptions = () => (process.env.KAFKA_JVM_PERFORMANCE_OPTS ?? '').split(' ').filter((option) => option !== '')
/** One cluster a folder, so any id does; it must be the same at each start. */
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qk'

/** Makes the folder of a broker ready, and tells the command that runs it; somebody else may run it then. */
export const planKafkaBroker = async ({ cacheFolder, folder, port, controllerPort, memoryMb = 512, cleanupIntervalMs = 1000, cluster, properties: more = {}, formatArgs = [] }) => {
  const jars = await kafkaJars(cacheFolder)
  const ports = { port: port ?? (await freePort()), controllerPort: controllerPort ?? (await freePort()) }
  const properties = join(folder, 'server.properties')
  const java = (main, ...rest) => [`-Xmx${memoryMb}m`, ...jvmOptions(), '-Dlog4j2.level=WARN', '-cp', join(jars, '*'), main, ...rest]
  await mkdir(folder, { recursive: true })
  await writeFile(properties, textOf({ ...serverProperties({ folder, ...ports, cleanupIntervalMs, ...(cluster ?? alone(ports)) }), ...more }))
  if (!(await stat(join(folder, 'data', 'meta.properties')).catch(() => null))) {
    const format = spawnSync('java', java('kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', properties, ...formatArgs), { encoding: 'utf8' })
    if (format.status !== 0) throw new Error(`Kafka could not format its folder ${folder}: ${format.stdout}${format.stderr}`)
  }
  return { command: 'java', args: java('kafka.Kafka', properties), port: ports.port }
}

/**
 * One Kafka broker (KRaft, its own controller) on 127.0.0.1, in a folder that outlives it.
 * See broker.d.mts for what comes in and out.
 */
export const startKafkaBroker = async (options) => {
  const { folder } = options
  const { command, args, port } = await planKafkaBroker(options)
  let running = null
  const onExit = () => running?.kill('SIGKILL')

  const start = async () => {
    if (running) return
    await checkFree(port)
    const out = openSync(join(folder, 'broker.log'), 'a')
    const broker = spawn(command, args, { stdio: ['ignore', out, out] })
    closeSync(out)
    broker.once('exit', () => {
      if (running === broker) running = null
    })
    running = broker
    await untilListening(port, broker, folder)
  }
  const end = async (signal) => {
    const broker = running
    if (!broker) return
    const ended = new Promise((resolve) => broker.once('exit', resolve))
    broker.kill(signal)
    const late = setTimeout(() => broker.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await ended
    clearTimeout(late)
  }
  process.once('exit', onExit)
  await start()
  return {
    brokers: [`127.0.0.1:${port}`],
    folder,
    processId: () => running?.pid ?? null,
    start,
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGTERM')
      process.off('exit', onExit)
    },
  }
}

/** Of a broker by itself, which is its own controller. */
const alone = ({ controllerPort }) => ({ nodeId: 1, controllerPorts: [controllerPort] })

export const serverProperties = ({ folder, port, controllerPort, cleanupIntervalMs, nodeId, controllerPorts }) => {
  const brokers = controllerPorts.length
  return {
    'process.roles': 'broker,controller',
    'node.id': nodeId,
    'controller.quorum.voters': controllerPorts.map((voter, index) => `${index + 1}@127.0.0.1:${voter}`).join(','),
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': brokers,
    'offsets.topic.num.partitions': 4,
    'offsets.retention.minutes': 5_256_000,
    'transaction.state.log.replication.factor': brokers,
    'transaction.state.log.min.isr': brokers > 2 ? 2 : 1,
    'transaction.state.log.num.partitions': 4,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': cleanupIntervalMs,
    'auto.create.topics.enable': false,
  }
}

const textOf = (properties) => Object.entries(properties).map(([name, value]) => `${name}=${value}\n`).join('')

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/** Else another program on the port would be taken for the broker that starts. */
const checkFree = async (port) => {
  if (await isListening(port)) throw new Error(`Kafka cannot start: something listens on 127.0.0.1:${port} already`)
}

const isListening = (port) =>
  new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    }).once('error', () => resolve(false))
  })

const untilListening = async (port, broker, folder) => {
  const deadline = performance.now() + START_TIMEOUT_MS
  while (performance.now() < deadline) {
    if (broker.exitCode !== null || broker.signalCode !== null)
      throw new Error(`Kafka ended (${broker.exitCode ?? broker.signalCode}) while it started; see ${join(folder, 'broker.log')}`)
    if (await isListening(port)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  broker.kill('SIGKILL')
  throw new Error(`Kafka did not listen within ${START_TIMEOUT_MS} ms; see ${join(folder, 'broker.log')}`)
}
