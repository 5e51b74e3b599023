import { askRedis } from '@millrace/testkit'
import { chanceFrom, encodeRecord, homeOf, keyOf, shardOf, topics, type Chance } from '@millrace/contracts'
import type { EventLog } from '@millrace/ports'
import { eventually, type Millrace } from '../support/millrace.ts'
import type { SmallDisk } from '../support/small-disk.ts'
import type { PlannedEvent } from './plan.ts'

/** What is done to a running stack, beside the traffic. */
export interface Faults {
  readonly inject: Readonly<Record<FaultKind, (at: number) => Promise<void>>>
  /** How often each was done. */
  readonly counts: ReadonlyMap<FaultKind, number>
  /** Good lines of poisoned records: events like any other. */
  readonly beside: readonly PlannedEvent[]
  /** Resolves when what goes on behind a fault is over. @throws when a full disk did not end Kafka */
  settled(): Promise<void>
}

export const SERVICE_KILLS = ['kill -9 of ingest', 'kill -9 of profile-builder', 'kill -9 of segmentation', 'kill -9 of metrics'] as const
export const REBALANCES = ['a copy of profile-builder leaves and joins', 'a copy of segmentation leaves and joins', 'a copy of metrics leaves and joins'] as const
export const FULL_DISK = 'a full disk of Kafka'
export const ENGINE_FAULTS = ['kill -9 of Kafka', FULL_DISK, 'kill -9 of Redis', 'FLUSHALL of Redis', 'kill -9 of ClickHouse amid inserts'] as const
export const POISONS = ['bytes that are no record', 'a record with a broken line'] as const
export const FAULT_KINDS = [...SERVICE_KILLS, ...REBALANCES, ...ENGINE_FAULTS, ...POISONS] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

export interface FaultsOptions {
  readonly stack: Millrace
  readonly log: Pick<EventLog, 'append'>
  readonly seed: number
  readonly project: number
  /** Where Kafka keeps its log; null where no small disk can be had. */
  readonly kafkaDisk: Pick<SmallDisk, 'fill' | 'free'> | null
}

/** An insert takes some tens of milliseconds, and one comes every few hundred. */
const AMID_MS_MAX = 300

export const createFaults = ({ stack, log, seed, project, kafkaDisk }: FaultsOptions): Faults => {
  const chance = chanceFrom(seed)
  const counts = new Map<FaultKind, number>()
  const beside: PlannedEvent[] = []
  const open: Promise<void>[] = []
  const signal = (name: string, what: 'SIGKILL' | 'SIGTERM'): void => {
    const pid = stack.processes()[name]
    if (pid === undefined) throw new Error(`${name} does not run just now`)
    process.kill(pid, what)
  }
  /** One that still starts has nothing to lose yet: only a copy that says it is ready is ended. */
  const end = (service: string, what: 'SIGKILL' | 'SIGTERM', slots: readonly number[]) => async () => {
    const able = (await readyCopies(stack, service)).filter((slot) => slots.includes(slot))
    if (able.length === 0) throw new Error(`${service} is not ready just now`)
    signal(`${service}-${chance.pick(able)}`, what)
  }
  const kill = (service: string) => end(service, 'SIGKILL', [0, 1])
  const leave = (service: string) => end(service, 'SIGTERM', [1])
  const actions: Faults['inject'] = {
    'kill -9 of ingest': kill('ingest'),
    'kill -9 of profile-builder': kill('profile-builder'),
    'kill -9 of segmentation': kill('segmentation'),
    'kill -9 of metrics': kill('metrics'),
    // The launcher starts it again, which makes it join.
    'a copy of profile-builder leaves and joins': leave('profile-builder'),
    'a copy of segmentation leaves and joins': leave('segmentation'),
    'a copy of metrics leaves and joins': leave('metrics'),
    'kill -9 of Kafka': async () => signal('kafka', 'SIGKILL'),
    [FULL_DISK]: async () => {
      const pid = stack.processes()['kafka']
      if (kafkaDisk === null || pid === undefined) throw new Error('Kafka has no disk to fill just now')
      kafkaDisk.fill()
      open.push(freeBehind(kafkaDisk, () => stack.processes()['kafka'] !== pid))
    },
    'kill -9 of Redis': async () => signal('redis', 'SIGKILL'),
    'FLUSHALL of Redis': () => flush(stack),
    'kill -9 of ClickHouse amid inserts': async () => {
      await new Promise((resolve) => setTimeout(resolve, chance.below(AMID_MS_MAX)))
      signal('clickhouse', 'SIGKILL')
    },
    'bytes that are no record': () => appendUntilTaken(log, chance.below(topics.accepted.partitions), noRecord(chance)),
    'a record with a broken line': async (at) => {
      const event = besideEvent(beside.length, at)
      const origin = { source: 'poison', protocol: 'segment', receivedAt: at, sentAt: null }
      const value = encodeRecord({ kind: 'events', project, count: 2, origins: [origin] }, [JSON.stringify(event), '{"type":"track","event":'])
      await appendUntilTaken(log, homeOf(shardOf(project, keyOf('user_id', String(event['userId']))), topics.accepted.partitions), value)
      beside.push(event)
    },
  }
  const counted = (kind: FaultKind) => async (at: number) => {
    await actions[kind](at)
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  const inject = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, counted(kind)])) as Faults['inject']
  return { inject, counts, beside, settled: async () => void (await Promise.all(open)) }
}

const FULL_MS_MAX = 60_000
/** For as long the disk stays full behind that: the launcher starts a broker in vain. */
const STILL_FULL_MS = 3_000

/** The traffic meets the full disk; there is room again some time after Kafka has ended by it. */
const freeBehind = async (disk: Pick<SmallDisk, 'free'>, hasEnded: () => boolean): Promise<void> => {
  try {
    await eventually(async () => hasEnded(), Boolean, FULL_MS_MAX)
    await new Promise((resolve) => setTimeout(resolve, STILL_FULL_MS))
  } finally {
    disk.free()
  }
}

const readyCopies = async (stack: Millrace, service: string): Promise<readonly number[]> => {
  const { parts } = (await (await fetch(`${stack.url}/readyz`)).json()) as { parts: Readonly<Record<string, string>> }
  return Object.entries(parts).filter(([name, word]) => name.startsWith(`${service}-`) && word === 'ok').map(([name]) => Number(name.slice(service.length + 1)))
}

const flush = async (stack: Millrace): Promise<void> => {
  const port = Number(/Redis redis:\/\/127\.0\.0\.1:(\d+)/.exec(stack.output())![1])
  const answer = await askRedis(port, ['FLUSHALL'])
  if (answer !== '+OK\r\n') throw new Error(`Redis did not flush: ${answer}`)
}

const besideEvent = (index: number, at: number): PlannedEvent => ({
  messageId: `beside-${index}`, type: 'track', event: 'Order Completed', userId: `beside${index % 3}`, timestamp: new Date(at - 1_000).toISOString(),
  properties: { order_id: `beside-${index}`, revenue: 10, currency: 'CNY' },
})

const noRecord = (chance: Chance): Buffer => {
  const length = chance.pick([0, 3, 40, 5_000])
  return Buffer.from(Array.from({ length }, () => chance.below(256)))
}

const TRIES_MAX = 30

/** Other software that writes to the topic: the broker may be away just then. */
const appendUntilTaken = async (log: Pick<EventLog, 'append'>, partition: number, value: Uint8Array): Promise<void> => {
  for (let tries = 1; ; tries++) {
    try {
      return await log.append([{ topic: topics.accepted.name, partition, value }])
    } catch (error) {
      if (tries === TRIES_MAX) throw error
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
}
