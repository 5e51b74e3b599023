import type { Batch, Committed, ConsumeOptions, HotStore, LogRecord, NewRecord, PartitionConsumer, StateWrite, Step } from '@millrace/ports'
import type { Chance } from '@millrace/contracts'
import { StateMoved } from '@millrace/service-kit'

/** How a step is stored. embedded: one transaction. stack: outputs and position, then state, with crashes between. */
export type Wiring = 'embedded' | 'stack'

/** Faults that are put in on purpose: the simulation must find each of them. */
export interface Sabotage {
  /** Changes what a consumer made of a batch. */
  readonly step?: (group: string, step: Step, batch: Batch, world: World) => Step
  readonly outputsApartFromPosition?: boolean
  readonly stateBeforeCommit?: boolean
  /** Writes of these keys happen at once, whatever becomes of the batch. */
  readonly unboundPrefix?: string
  /** Documents are written, and the position that they include only later. */
  readonly watermarkLate?: boolean
  /** The position is written first. */
  readonly watermarkEarly?: boolean
  /** A consumer does not see that another one wrote its state. */
  readonly blindToLateWrites?: boolean
}

export interface Faults {
  readonly wiring: Wiring
  /** Chance of a crash at each point of a step. */
  readonly crash: number
  readonly rebalance: number
  readonly sabotage: Sabotage
}

interface Scope {
  watermark: number | null
  /** What the consumer that is at work has seen or written itself. */
  known: number | null
  readonly documents: Map<string, unknown>
}

interface Seat {
  readonly options: ConsumeOptions
  readonly topic: string
  readonly partition: number
  consumer: PartitionConsumer | null
  at: number
}

class Crash extends Error {}

/** A log and a hot store in memory, and the consumers on them, one step at a time in an order that chance decides. */
export class World {
  readonly counts = { steps: 0, crashes: 0, rebalances: 0, replayed: 0, lateWrites: 0, moved: 0 }
  private readonly log = new Map<string, Uint8Array[][]>()
  private readonly positions = new Map<string, number>()
  private readonly scopes = new Map<string, Scope>()
  private readonly seats: Seat[] = []
  private readonly lateWrites: StateWrite[] = []
  private readonly random: Chance
  private readonly faults: Faults
  private calm = false
  private opening = false

  constructor(random: Chance, faults: Faults) {
    this.random = random
    this.faults = faults
  }

  topic(name: string, partitions: number): void {
    this.log.set(name, Array.from({ length: partitions }, () => []))
  }

  consumer(options: ConsumeOptions): void {
    for (const topic of options.topics) {
      this.log.get(topic)!.forEach((_, partition) => this.seats.push({ options, topic, partition, consumer: null, at: 0 }))
    }
  }

  append(records: readonly NewRecord[]): void {
    for (const { topic, partition, value } of records) this.log.get(topic)![partition]!.push(value)
  }

  records(topic: string): readonly (readonly LogRecord[])[] {
    return this.log
      .get(topic)!
      .map((values, partition) => values.map((value, offset): LogRecord => ({ topic, partition, offset, value })))
  }

  documents(scope: string): ReadonlyMap<string, unknown> {
    return this.scopes.get(scope)?.documents ?? new Map()
  }

  /** One step of one consumer; `weights` make some groups slow. */
  async step(weights: Readonly<Record<string, number>>): Promise<void> {
    const seat = this.random.pick(this.seats)
    if (this.random.happens(weights[seat.options.group] ?? 0)) return
    await this.advance(seat)
  }

  /** Runs everything to the end of every topic, without faults. */
  async drain(): Promise<void> {
    this.calm = true
    for (let busy = true; busy; ) {
      busy = false
      for (const seat of this.seats) while (await this.advance(seat)) busy = true
    }
    this.calm = false
  }

  private async advance(seat: Seat): Promise<boolean> {
    try {
      this.lateWrite()
      if (!this.calm && seat.consumer && this.random.happens(this.faults.rebalance)) await this.rebalance(seat)
      seat.consumer ??= await this.open(seat)
      return await this.handle(seat)
    } catch (error) {
      if (!(error instanceof Crash) && !(error instanceof StateMoved)) throw error
      if (error instanceof StateMoved) this.counts.moved++
      else this.counts.crashes++
      seat.consumer = null
      return true
    }
  }

  private async open(seat: Seat): Promise<PartitionConsumer> {
    const { topic, partition } = seat
    const committed: Committed = { offset: this.committed(seat), metadata: '' }
    this.opening = true
    const consumer = await seat.options.open({ topic, partition, committed, declare: async () => {} })
    this.opening = false
    seat.at = consumer.from
    return consumer
  }

  private async rebalance(seat: Seat): Promise<void> {
    this.counts.rebalances++
    await seat.consumer!.close()
    seat.consumer = null
  }

  private async handle(seat: Seat): Promise<boolean> {
    const all = this.log.get(seat.topic)![seat.partition]!
    const committed = this.committed(seat)
    const replayed = seat.at < committed
    const limit = replayed ? committed : all.length
    if (seat.at >= limit) return false
    const end = Math.min(limit, seat.at + 1 + this.random.below(6))
    const records = all
      .slice(seat.at, end)
      .map((value, index): LogRecord => ({ topic: seat.topic, partition: seat.partition, offset: seat.at + index, value }))
    const batch: Batch = { records, end, replayed, caughtUp: end === all.length }
    const consumer = seat.consumer!
    const made = await consumer.handle(batch)
    const step = this.faults.sabotage.step?.(seat.options.group, made, batch, this) ?? made
    this.storeUnbound(step)
    this.mayCrash()
    this.counts.steps++
    if (replayed) {
      this.counts.replayed++
      this.applyState(step)
    } else this.store(seat, step, end)
    this.mayCrash()
    consumer.stored?.(batch)
    seat.at = end
    return true
  }

  private store(seat: Seat, step: Step, end: number): void {
    const { wiring, sabotage } = this.faults
    if (sabotage.stateBeforeCommit) {
      this.applyState(step)
      this.mayCrash()
    }
    this.append(step.outputs)
    if (sabotage.outputsApartFromPosition) this.mayCrash()
    this.positions.set(seatId(seat), end)
    if (wiring === 'embedded') return this.applyState(step)
    this.mayCrash()
    // A copy that is fenced between its commit and its write: the write comes when another copy is at work.
    if (step.state && !this.calm && this.random.happens(this.faults.crash)) {
      this.lateWrites.push(step.state)
      throw new Crash()
    }
    this.applyState(step)
  }

  private applyState({ state }: Step): void {
    if (!state) return
    const { sabotage } = this.faults
    this.scope(state.scope).known = state.watermark
    if (sabotage.watermarkEarly) this.scope(state.scope).watermark = state.watermark
    if (sabotage.watermarkEarly) this.mayCrash()
    if (sabotage.watermarkLate) this.write({ ...state, watermark: this.scope(state.scope).watermark ?? -1 })
    if (sabotage.watermarkLate) this.mayCrash()
    if (sabotage.watermarkEarly || (this.scope(state.scope).watermark ?? -1) < state.watermark) this.write(state)
  }

  private lateWrite(): void {
    if (this.lateWrites.length === 0 || !this.random.happens(0.3)) return
    const write = this.lateWrites.shift()!
    this.counts.lateWrites++
    if ((this.scope(write.scope).watermark ?? -1) < write.watermark) this.write(write)
  }

  private storeUnbound({ state }: Step): void {
    const prefix = this.faults.sabotage.unboundPrefix
    if (!state || prefix === undefined) return
    for (const [key, document] of state.puts) if (key.startsWith(prefix)) this.scope(state.scope).documents.set(key, document)
  }

  private write({ scope, watermark, puts, deletes }: StateWrite): void {
    const into = this.scope(scope)
    for (const [key, document] of puts) into.documents.set(key, structuredClone(document))
    for (const key of deletes) into.documents.delete(key)
    into.watermark = watermark < 0 ? null : watermark
  }

  private mayCrash(): void {
    if (!this.calm && this.random.happens(this.faults.crash)) throw new Crash()
  }

  private committed(seat: Seat): number {
    return this.positions.get(seatId(seat)) ?? 0
  }

  private scope(name: string): Scope {
    const known = this.scopes.get(name)
    if (known) return known
    const scope: Scope = { watermark: null, known: null, documents: new Map() }
    this.scopes.set(name, scope)
    return scope
  }

  /** The part of the port that these consumers use. */
  readonly hot: HotStore = {
    watermark: async (name) => {
      const scope = this.scope(name)
      if (this.opening || !this.faults.sabotage.blindToLateWrites) scope.known = scope.watermark
      return scope.known
    },
    get: async (scope, keys) => keys.map((key) => this.scope(scope).documents.get(key)),
    scan: async (scope, { prefix, after, limit }) =>
      [...this.scope(scope).documents]
        .filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .slice(0, limit)
        .map(([key, document]) => ({ key, document })),
    apply: async () => unused(),
    timersDue: async () => unused(),
    nextTimer: async () => unused(),
    update: async () => unused(),
    clear: async () => unused(),
    close: async () => {},
  }
}

const seatId = ({ options, topic, partition }: Seat): string => `${options.group}/${topic}/${partition}`

const unused = (): never => {
  throw new Error('not used by these consumers')
}
