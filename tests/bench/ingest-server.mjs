// One door to be loaded, in a process of its own: node ingest-server.mjs KIND [FOLDER]. Prints its address.
// embedded, stack: ingest as it is. bare, parse, record-each: what a server costs that does less, or does it plainly.
import { createServer } from 'node:http'
import { ensureKafkaTopics } from '@millrace/adapters'
import { createIngest } from '@millrace/ingest'
import { createHttp, createLogger, createProjects } from '@millrace/service-kit'
import { createEmbedded, createStack, stackConfig } from '@millrace/wiring'
import fastify from 'fastify'

const [kind, folder] = process.argv.slice(2)
const stops = []

const ingestOver = async (ports) => {
  const logger = createLogger('silent')
  const projects = createProjects(ports)
  await projects.start()
  if (projects.all().length === 0) await projects.create({ name: 'Bench', zone: 'UTC', currency: 'USD', writeKey: 'test-write-key', apiKey: 'test-api-key-0000' })
  const ingest = createIngest({ ...ports, logger, projects })
  const http = createHttp({ logger, ids: ports.ids })
  await http.register(ingest.routes)
  await ingest.start()
  stops.push(() => http.close(), ingest.stop, projects.stop, ports.close)
  return http.listen({ host: '127.0.0.1', port: 0 })
}

const KINDS = {
  embedded: async () => ingestOver(await createEmbedded({ dataDir: folder })),
  stack: async () => {
    const config = stackConfig.parse({ ...process.env, COPY_SLOT: '0' })
    await ensureKafkaTopics(config.KAFKA_BROKERS)
    return ingestOver(await createStack({ config, needsColumns: false }))
  },
  /** ingest with a log that forgets: the door alone. */
  door: async () => {
    const embedded = await createEmbedded({ dataDir: folder })
    return ingestOver({ ...embedded, log: { ...embedded.log, append: async () => {} } })
  },
  /** node:http that reads a body and does nothing with it. */
  bare: async () => {
    const server = createServer((request, response) => {
      const parts = []
      request.on('data', (part) => parts.push(part))
      request.on('end', () => response.setHeader('content-type', 'application/json').end(`{"bytes":${Buffer.concat(parts).length}}`))
    })
    stops.push(() => server.close())
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${server.address().port}`
  },
  /** fastify that parses JSON and does nothing with it. */
  parse: async () => {
    const app = fastify({ bodyLimit: 5 << 20 })
    for (const path of ['/v1/batch', '/v1/track']) app.post(path, async ({ body }) => ({ events: body.batch?.length ?? 1 }))
    stops.push(() => app.close())
    return app.listen({ host: '127.0.0.1', port: 0 })
  },
  /** The usual way: parse, one Kafka record an event, written anew; sends shared over 5 ms, acks=all. */
  'record-each': async () => {
    // Loaded here alone: the log of Millrace repairs its own before anything else has it.
    const { default: kafkajs } = await import('kafkajs')
    const kafka = new kafkajs.Kafka({ brokers: process.env.KAFKA_BROKERS.split(','), logLevel: kafkajs.logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'bench.plain', numPartitions: 4 }], waitForLeaders: true })
    await admin.disconnect()
    const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
    await producer.connect()
    let waiting = null
    const flush = async () => {
      const { messages, resolve, reject } = waiting
      waiting = null
      await producer.send({ topic: 'bench.plain', acks: -1, messages }).then(resolve, reject)
    }
    const append = (events) => {
      if (waiting === null) {
        waiting = { messages: [] }
        waiting.done = new Promise((resolve, reject) => Object.assign(waiting, { resolve, reject }))
        setTimeout(flush, 5)
      }
      for (const event of events) waiting.messages.push({ key: event.userId ?? event.anonymousId, value: JSON.stringify(event) })
      return waiting.done
    }
    const app = fastify({ bodyLimit: 5 << 20 })
    for (const path of ['/v1/batch', '/v1/track']) {
      app.post(path, async ({ body }) => {
        await append(body.batch ?? [body])
        return { success: true }
      })
    }
    stops.push(() => app.close(), () => producer.disconnect())
    return app.listen({ host: '127.0.0.1', port: 0 })
  },
}

console.log(await KINDS[kind]())

process.once('SIGTERM', async () => {
  for (const stop of stops) await stop()
  process.exit(0)
})
