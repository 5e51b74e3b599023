import { join } from 'node:path'
import { topics } from '@millrace/contracts'
import { LogUnavailable, type EventLog } from '@millrace/ports'
import { createSharedState, startChild, type Child, type SharedState } from '@millrace/testkit'

export const cache = join(import.meta.dirname, '../../node_modules/.cache/millrace')
export const testkit = join(import.meta.dirname, '../../packages/testkit')

const PERSONS = 400
export const EVENTS_A_RECORD = 20

export interface WorkerSettings {
  readonly brokers: readonly string[]
  readonly prefix: string
  readonly sessionTimeoutMs: number
  readonly transactionTimeoutMs: number
}

/** Copies of the service in processes of their own; a copy has a slot, and a slot at most one copy. */
export interface Workers {
  readonly state: SharedState
  /** By type, as the copies told them so far. */
  faults(): Readonly<Record<string, number>>
  /** How many copies stopped themselves where they were told to. */
  readonly counts: { killed: number; stopped: number; started: number }
  slots(): readonly string[]
  start(slot: string, killAt?: { point: string; hit: number }): Child
  kill(slot: string): Promise<void>
  /** SIGSTOP inside a step; SIGCONT after `ms`. Resolves when it runs again, or has ended before. */
  stopInside(slot: string, point: string, ms: number): Promise<void>
  remove(slot: string): Promise<void>
  stopAll(): Promise<void>
}

export const createWorkers = (settings: WorkerSettings): Workers => {
  const state = createSharedState()
  const all: Child[] = []
  const running = new Map<string, Child>()
  const counts = { killed: 0, stopped: 0, started: 0 }
  const exits: string[] = []
  const faults = (): Record<string, number> => {
    const types = [...exits, ...all.flatMap(({ lines }) => lines.filter((line) => line.startsWith('fault ')).map((line) => line.split(' ')[1]!))]
    return types.reduce<Record<string, number>>((counts, type) => ({ ...counts, [type]: (counts[type] ?? 0) + 1 }), {})
  }
  const ended = async (slot: string, child: Child): Promise<void> => {
    const { signal, code } = await child.ended
    if (code) exits.push(`exit-${code}`)
    if (signal === 'SIGKILL') counts.killed++
    if (running.get(slot) === child) running.delete(slot)
  }
  return {
    state, faults, counts,
    slots: () => [...running.keys()],
    start(slot, killAt) {
      const child = startChild(join(testkit, 'dist/crash/kafka-child.js'), [JSON.stringify({ ...settings, slot, killAt })])
      state.serve(child.process)
      running.set(slot, child)
      all.push(child)
      counts.started++
      void ended(slot, child)
      return child
    },
    async kill(slot) {
      const child = running.get(slot)
      if (!child) return
      child.process.kill('SIGKILL')
      await child.ended
    },
    async stopInside(slot, point, ms) {
      const child = running.get(slot)
      await child?.saw('started')
      if (!child?.process.connected) return
      const before = child.lines.filter((line) => line.startsWith('stopped')).length
      child.process.send({ stopAt: point })
      const reached = await until(() => child.lines.filter((line) => line.startsWith('stopped')).length > before || !running.has(slot), 10_000)
      if (!reached) return void (child.process.connected && child.process.send({ stopAt: 'nowhere' }))
      if (!running.has(slot)) return
      counts.stopped++
      await new Promise((resolve) => setTimeout(resolve, ms))
      child.process.kill('SIGCONT')
    },
    async remove(slot) {
      const child = running.get(slot)
      await child?.saw('started')
      if (child?.process.connected) child.process.send({ end: true })
      await child?.ended
    },
    async stopAll() {
      const children = [...running.values()]
      for (const child of children) {
        counts.killed--
        child.process.kill('SIGCONT')
        child.process.kill('SIGKILL')
      }
      await Promise.all(children.map(({ ended }) => ended))
    },
  }
}

/** Appends until it is told to stop; gives back the names of the records that were acknowledged. */
export const feed = async (log: EventLog, pauseMs: number, stopped: () => boolean): Promise<{ acked: readonly string[]; refused: number }> => {
  const acked: string[] = []
  let refused = 0
  for (let n = 0; !stopped(); n++) {
    const partition = n % topics.accepted.partitions
    const persons = Array.from({ length: EVENTS_A_RECORD - 1 }, (_, index) => `p${(n * 31 + index * 7) % PERSONS}`)
    const value = Buffer.from([`record-${n}`, ...persons].join('\n'))
    try {
      await log.append([{ topic: topics.accepted.name, partition, value }])
      acked.push(`record-${n}`)
    } catch (error) {
      if (!(error instanceof LogUnavailable)) throw error
      refused++
    }
    if (n % 4 === 3) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  return { acked, refused }
}

export interface Outcome {
  readonly events: number
  readonly lost: number
  readonly twice: number
  readonly outOfOrder: number
  readonly ackedLost: number
  readonly sinkLost: number
  readonly sinkTwice: number
  readonly wrongState: number
}

/** Compares, by (partition, offset, index) of the input, what came out with what went in. Read committed. */
export const judge = async (log: EventLog, state: SharedState, acked: readonly string[]): Promise<Outcome> => {
  const wanted = new Set<string>()
  const names = new Set<string>()
  let wrongState = 0
  for (let partition = 0; partition < topics.accepted.partitions; partition++) {
    let count = 0
    for await (const { offset, text } of recordsOf(log, topics.accepted.name, partition)) {
      const lines = text.split('\n')
      names.add(lines[0]!)
      lines.forEach((_, index) => wanted.add(`${partition} ${offset} ${index}`))
      count += lines.length
    }
    if ((state.get(`copy:${partition}`, 'count') ?? 0) !== count) wrongState++
  }
  const seen = new Set<string>()
  let twice = 0
  let outOfOrder = 0
  for (let partition = 0; partition < topics.resolved.partitions; partition++) {
    const last = new Map<string, readonly [offset: number, index: number]>()
    for await (const { text } of recordsOf(log, topics.resolved.name, partition)) {
      for (const place of text.split('\n')) {
        const [from, offset, index] = place.split(' ') as [string, string, string]
        if (seen.has(place)) twice++
        seen.add(place)
        const before = last.get(from) ?? [-1, -1]
        if (Number(offset) < before[0] || (Number(offset) === before[0] && Number(index) <= before[1])) outOfOrder++
        last.set(from, [Number(offset), Number(index)])
      }
    }
  }
  const lost = (found: ReadonlySet<string>): number => [...wanted].filter((place) => !found.has(place)).length
  return {
    events: wanted.size, lost: lost(seen), twice, outOfOrder, ackedLost: acked.filter((name) => !names.has(name)).length,
    sinkLost: lost(state.rows), sinkTwice: state.counts.rowsTwice, wrongState,
  }
}

async function* recordsOf(log: EventLog, topic: string, partition: number): AsyncGenerator<{ offset: number; text: string }> {
  for (let from = 0; ; ) {
    const records = await log.read(topic, partition, from, { recordsMax: 5_000, bytesMax: 8_000_000 })
    if (records.length === 0) return
    for (const { offset, value } of records) yield { offset, text: Buffer.from(value).toString() }
    from = records.at(-1)!.offset + 1
  }
}

/**
 * Both groups have handled and stored everything that is in the input, and all of the output can be seen: a copy that was
 * killed inside a transaction and never came back hides what was committed behind it until that transaction has timed out.
 */
export const settled = async (log: EventLog, state: SharedState, acked: readonly string[]): Promise<boolean> => {
  for (const { partition, next } of await log.extents(topics.accepted.name)) {
    const last = (await log.read(topics.accepted.name, partition, Math.max(0, next - 50), { recordsMax: 100, bytesMax: 1_000_000 })).at(-1)
    if (!last) continue
    for (const group of ['copy', 'sink']) if ((await log.committed(group, topics.accepted.name, partition)).offset <= last.offset) return false
    if ((state.watermark(`copy:${partition}`) ?? 0) <= last.offset) return false
  }
  return (await judge(log, state, acked)).lost === 0
}

export const until = async (check: () => boolean | Promise<boolean>, msMax: number): Promise<boolean> => {
  for (const deadline = performance.now() + msMax; ; ) {
    if (await check()) return true
    if (performance.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
