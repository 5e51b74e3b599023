// ingest alone on the embedded log, without consumers: what taking an event costs by itself. node ingest-server.mjs FOLDER
import { createIngest } from '@millrace/ingest'
import { createHttp, createLogger, createProjects } from '@millrace/service-kit'
import { createEmbedded } from '@millrace/wiring'

const embedded = await createEmbedded({ dataDir: process.argv[2] })
const logger = createLogger('silent')
const projects = createProjects(embedded)
await projects.start()
await projects.create({ name: 'Bench', zone: 'UTC', currency: 'USD', writeKey: 'test-write-key', apiKey: 'test-api-key-0000' })
const ingest = createIngest({ ...embedded, logger, projects })
const http = createHttp({ logger, ids: embedded.ids })
await http.register(ingest.routes)
await ingest.start()
console.log(await http.listen({ host: '127.0.0.1', port: 0 }))

process.once('SIGTERM', async () => {
  await http.close()
  await ingest.stop()
  await projects.stop()
  await embedded.close()
})
