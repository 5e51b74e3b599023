import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEmbeddedHotStore, createEmbeddedLog, createSystemClock, openLmdb } from '@millrace/adapters'
import type { AcceptedControl, Key, Origin, Project } from '@millrace/contracts'
import { decodeRecord, encodeRecord, filedKeyOf, homeKeyOf, homeOf, messageIdOf, shardOf, topics } from '@millrace/contracts'
import type { NewRecord, Subscription } from '@millrace/ports'
import { openIdentity } from '../../src/identity/index.ts'
import { openResolve } from '../../src/resolve/index.ts'

export interface Fixture {
  readonly log: ReturnType<typeof createEmbeddedLog>
  readonly hot: ReturnType<typeof createEmbeddedHotStore>
  readonly warnings: object[]
  readonly faults: object[]
  /** Until nothing goes round any more. */
  drain(): Promise<void>
  /** Closes everything and opens it again on the same folder. */
  restart(): Promise<Fixture>
  /** All lines of a topic, parsed. */
  lines<Line>(topic: string): Promise<readonly Line[]>
  stop(): Promise<void>
}

/** resolve and identity on the real embedded log and hot store, in a folder of their own. */
export const openFixture = async (projects: readonly Project[], folder?: string): Promise<Fixture> => {
  const dir = folder ?? (await mkdtemp(join(tmpdir(), 'millrace-resolve-')))
  const root = await openLmdb(dir)
  const log = createEmbeddedLog({ root })
  const hot = createEmbeddedHotStore({ root, clock: createSystemClock() })
  const warnings: object[] = []
  const faults: object[] = []
  const deps = {
    hot,
    projects: { all: () => projects, byId: (id: number) => projects.find((project) => project.id === id), refresh: async () => {} },
    logger: { warn: (fields: object) => void warnings.push(fields), error: (fields: object) => void faults.push(fields) },
  }
  const subscriptions: readonly Subscription[] = [await log.consume(openResolve(deps)), await log.consume(openIdentity(deps))]
  const close = async (): Promise<void> => {
    for (const subscription of subscriptions) await subscription.stop()
    await log.close()
    await hot.close()
    await root.close()
  }
  const next = async (): Promise<string> => {
    const extents = [...(await log.extents(topics.accepted.name)), ...(await log.extents(topics.facts.name))]
    return extents.map((extent) => extent.next).join()
  }
  return {
    log,
    hot,
    warnings,
    faults,
    async drain() {
      for (let before = ''; before !== (await next()); ) {
        before = await next()
        for (const subscription of subscriptions) await subscription.drain()
      }
    },
    restart: async () => {
      await close()
      return openFixture(projects, dir)
    },
    async lines<Line>(topic: string) {
      const found: Line[] = []
      for (const { partition, first } of await log.extents(topic)) {
        const records = await log.read(topic, partition, first, { recordsMax: 1_000_000, bytesMax: 1e9 })
        for (const { value } of records) for (const line of decodeRecord(value).lines()) found.push(JSON.parse(line.toString()) as Line)
      }
      return found
    },
    stop: async () => {
      await close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

export const ORIGIN: Origin = { source: 'web', protocol: 'segment', receivedAt: Date.UTC(2026, 0, 1), sentAt: null }

/** One record for each partition that the events are filed in, as ingest writes them. */
export const eventRecords = (project: Project, events: readonly Record<string, unknown>[], origin: Origin = ORIGIN): readonly NewRecord[] => {
  const byPartition = new Map<number, string[]>()
  for (const event of events) {
    const key = filedKeyOf(project, { userId: event['userId'], anonymousId: event['anonymousId'], messageId: messageIdOf(origin, event) })
    const partition = homeOf(shardOf(project.id, key), topics.accepted.partitions)
    byPartition.set(partition, [...(byPartition.get(partition) ?? []), JSON.stringify(event)])
  }
  return [...byPartition].map(([partition, lines]) => {
    const value = encodeRecord({ kind: 'events', project: project.id, count: lines.length, origins: [origin] }, lines)
    return { topic: topics.accepted.name, partition, value }
  })
}

export const commandRecord = (project: Project, op: 'merge' | 'unlink', a: Key, b: Key, time: number): NewRecord => {
  const line: AcceptedControl = { type: 'identity.command', op, a, b, order: { time, messageId: `command-${time}` }, by: 'test' }
  const partition = homeOf(shardOf(project.id, homeKeyOf(a, b)), topics.accepted.partitions)
  const value = encodeRecord({ kind: 'control', project: project.id, count: 0, origins: [{ ...ORIGIN, receivedAt: time }] }, [JSON.stringify(line)])
  return { topic: topics.accepted.name, partition, value }
}
