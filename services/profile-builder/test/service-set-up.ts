import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChdbStore, createEmbeddedHotStore, createEmbeddedLog, createSystemClock, createSystemIds, openLmdb } from '@millrace/adapters'
import { encodeRecord, filedKeyOf, homeOf, type IdentityCommand, type Project, shardOf, topics } from '@millrace/contracts'
import { createHttp, createLogger, createProjects } from '@millrace/service-kit'
import { migrate } from '@millrace/warehouse'
import { createProfileBuilder, type ProfileBuilderConfig } from '../src/index.ts'

export type Sent = Readonly<Record<string, unknown>>

/** The service on the embedded adapters in a folder of its own, with one project. */
export const setUp = async (settings: Partial<ProfileBuilderConfig> = {}) => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-profile-'))
  const root = await openLmdb(join(folder, 'log'), { syncMode: 'os' })
  const clock = createSystemClock()
  const [log, hot, ids, logger] = [createEmbeddedLog({ root }), createEmbeddedHotStore({ root, clock }), createSystemIds(), createLogger('error')]
  const columns = createChdbStore({ path: join(folder, 'columns'), clients: 2 })
  await migrate(columns)
  const projects = createProjects({ hot, log, ids, clock })
  const { project, apiKey } = await projects.create({ name: 'shop', zone: 'Asia/Shanghai', currency: 'CNY' })
  const service = createProfileBuilder({ log, hot, columns, clock, logger, projects }, settings)
  const http = createHttp({ logger, ids })
  await http.register(service.routes)
  await service.start()
  let sent = 0

  /** As ingest would: each event to the home of its key. */
  const send = (events: readonly Sent[], to: Project = project, receivedAt = Date.now()) =>
    log.append(events.map((event) => {
      const whole = { messageId: `m${sent++}`, ...event } as Sent & { messageId: string }
      const key = filedKeyOf(to, { userId: event['userId'], anonymousId: event['anonymousId'], messageId: whole.messageId })
      const origin = { source: 'web', protocol: 'segment', receivedAt, sentAt: null }
      return {
        topic: topics.accepted.name,
        partition: homeOf(shardOf(to.id, key), topics.accepted.partitions),
        value: encodeRecord({ kind: 'events', project: to.id, count: 1, origins: [origin] }, [JSON.stringify(whole)]),
      }
    }))
  const command = (line: IdentityCommand) => log.append([{
    topic: topics.accepted.name,
    partition: homeOf(shardOf(project.id, line.a), topics.accepted.partitions),
    value: encodeRecord({ kind: 'control', project: project.id, count: 0, origins: [] }, [JSON.stringify(line)]),
  }])
  const get = async (path: string, key: string | null = apiKey) => {
    const answer = await http.inject({ url: path, headers: key === null ? {} : { authorization: `Bearer ${key}` } })
    return { status: answer.statusCode, body: answer.json() as never }
  }
  const stop = async (): Promise<void> => {
    await http.close()
    await service.stop()
    await columns.close()
    await hot.close()
    await log.close()
    await root.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { log, hot, columns, projects, project, service, send, command, get, stop }
}
export type SetUp = Awaited<ReturnType<typeof setUp>>
