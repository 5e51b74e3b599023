import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeRecord, topics } from '@millrace/contracts'
import { createHttp, createLogger, createProjects } from '@millrace/service-kit'
import { createEmbedded } from '@millrace/wiring'
import { expect, it } from 'vitest'
import { createIngest } from '../src/index.ts'

it('has every event that was answered with 2xx in the log after it is opened again', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-ingest-'))
  const logger = createLogger('silent')
  const first = await createEmbedded({ dataDir })
  const projects = createProjects(first)
  await projects.start()
  await projects.create({ name: 'Shop', zone: 'UTC', currency: 'EUR', writeKey: 'wk', apiKey: 'mk' })
  const ingest = createIngest({ ...first, logger, projects })
  const http = createHttp({ logger, ids: first.ids })
  await http.register(ingest.routes)
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => http.inject({
    url: '/v1/batch?writeKey=wk', method: 'POST',
    payload: { batch: [{ type: 'track', event: 'Seen', userId: `u${n % 7}`, messageId: `m${n}` }, { type: 'track', userId: 'u' }] },
  })))
  expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]))
  await ingest.stop()
  await http.close()
  await projects.stop()
  await first.close()

  const again = await createEmbedded({ dataDir })
  const lines = async (topic: string) => {
    const extents = await again.log.extents(topic)
    const records = await Promise.all(extents.map(({ partition, first: from }) => again.log.read(topic, partition, from, { recordsMax: 1000, bytesMax: 1 << 24 })))
    return records.flat().flatMap(({ value }) => decodeRecord(value).lines().map((line) => JSON.parse(line.toString()) as { messageId: string; code?: string }))
  }
  expect((await lines(topics.accepted.name)).map(({ messageId }) => messageId).sort()).toEqual(Array.from({ length: 100 }, (_, n) => `m${n}`).sort())
  const rejected = await lines(topics.rejected.name)
  expect([rejected.length, rejected[0]?.code]).toEqual([100, 'EVENT_NAME_MISSING'])
  await again.close()
  await rm(dataDir, { recursive: true })
})
