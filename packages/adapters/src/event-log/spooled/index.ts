import { topicNamed } from '@millrace/contracts'
import { LogUnavailable, type Clock, type EventLog, type NewRecord, type SpooledLog } from '@millrace/ports'
import { checkRecords } from '../kafka/chunks.ts'
import { createDrain } from './drain.ts'
import type { Ends } from './entry.ts'
import { createGate } from './gate.ts'
import { createPauses } from './pauses.ts'
import { openSpoolStore } from './store.ts'
import { createTeller } from './teller.ts'

export interface SpooledLogOptions {
  /** Closed with the spool. */
  readonly log: EventLog
  /** A folder of its own, held by one process at a time. */
  readonly dir: string
  /** Bytes that may wait; beyond, an append is refused with LOG_FULL. */
  readonly bytesMax: number
  readonly clock: Clock
  readonly onWarning?: ((warning: { readonly event: string; readonly message: string }) => void) | undefined
  /** Nothing more is taken while the disk has less room. Default 64 MiB. */
  readonly freeBytesMin?: number | undefined
  /** Called at the named points, for kill tests. */
  readonly probe?: ((point: string) => void) | undefined
  /** What one append of the spool to the log holds, and what may wait for the last one. Default 2 MiB. */
  readonly batchBytesMax?: number
  /** Between two tries of a log that is away. Default 100 ms, doubled up to 5 s. */
  readonly backOff?: { readonly firstMs: number; readonly mostMs: number }
  /** What was given up may arrive for so long after the log answers again. Default 1 s. */
  readonly settleMs?: number
  /** How old the known end of the log may grow while all is well: so much is read when something is in doubt. Default 10 s. */
  readonly measureEveryMs?: number
  /** How long the opening waits for the log before it takes appends into the spool. Default 1 s. */
  readonly openMsMax?: number
}

const HELD_BYTES_MAX = 64 << 20
const CLOSE_MS_MAX = 3_000

/**
 * The log, whose appends do not fail for want of brokers as long as the spool has room: what the log does not take is kept
 * on this machine, fsynced, and sent later, in order. What may be in the log all the same is looked for before it is sent.
 * @throws DataDirHeld when another process has the folder
 */
export const createSpooledLog = async (options: SpooledLogOptions): Promise<SpooledLog> => {
  const { log, dir, bytesMax, clock, probe = () => {} } = options
  const store = await openSpoolStore({ dir, bytesMax, freeBytesMin: options.freeBytesMin, probe })
  const gate = createGate()
  const pauses = createPauses(clock)
  const tell = createTeller(options.onWarning ?? (() => {}))
  const flying = new Set<Promise<void>>()
  let closed = false
  let heldBytes = 0
  const drain = createDrain({
    log, store, gate, probe, pause: pauses.pause, isClosed: () => closed, warn: tell.of, drained: tell.drained,
    batchBytesMax: options.batchBytesMax ?? 2 << 20, backOff: options.backOff ?? { firstMs: 100, mostMs: 5_000 }, settleMs: options.settleMs ?? 1_000,
  })
  let draining: Promise<void> = Promise.resolve()

  const checkOpen = (): void => {
    if (closed) throw new LogUnavailable('LOG_CLOSED', 'the log is closed')
  }
  const startDrain = (): void => {
    draining = drain.run()
  }
  const spool = async (records: readonly NewRecord[], sentBehind: Ends | null): Promise<void> => {
    try {
      await store.put(records, clock.now(), sentBehind)
    } catch (error) {
      if (error instanceof LogUnavailable && error.code === 'LOG_FULL') tell.full(error.message)
      throw error
    }
  }
  const direct = async (records: readonly NewRecord[]): Promise<void> => {
    const ends = drain.ends()
    try {
      await log.append(records)
    } catch (error) {
      if (!isAway(error)) throw error
      drain.disturb()
      if (gate.isOpen() && !closed) {
        gate.shut()
        tell.begun(`the log takes nothing, so events are kept in ${dir}: ${error.message}`)
        startDrain()
      }
      await spool(records, ends)
    }
  }
  const held = async (records: readonly NewRecord[]): Promise<void> => {
    const bytes = records.reduce((sum, { value }) => sum + value.length, 0)
    if (heldBytes > 0 && heldBytes + bytes > HELD_BYTES_MAX) throw new LogUnavailable('LOG_BUSY', `${heldBytes} bytes wait for the last of the spool`)
    heldBytes += bytes
    await gate.passing()
    heldBytes -= bytes
    checkOpen()
  }
  const measureSometimes = async (): Promise<void> => {
    await pauses.pause(options.measureEveryMs ?? 10_000)
    if (closed) return
    // Of no weight where it fails: an older end is a longer look, no wrong one.
    if (gate.isOpen()) await drain.measure().catch(() => undefined)
    void measureSometimes()
  }

  if (store.records() > 0) tell.begun(`${store.records()} records of before wait in ${dir}`)
  startDrain()
  void measureSometimes()
  await Promise.race([draining, pauses.pause(options.openMsMax ?? 1_000)])
  if (!gate.isOpen()) tell.begun(`the log does not answer, so events are kept in ${dir}`)

  return {
    append: async (records) => {
      checkOpen()
      checkRecords(records, (topic) => topicNamed(topic).partitions)
      if (records.length === 0) return
      if (!gate.isOpen() && !gate.isShut()) await held(records)
      const taken = gate.isOpen() ? direct(records) : spool(records, null)
      flying.add(taken)
      await taken.finally(() => flying.delete(taken))
    },
    consume: (consume) => log.consume(consume),
    read: (topic, partition, from, bounds) => log.read(topic, partition, from, bounds),
    extents: (topic) => log.extents(topic),
    committed: (group, topic, partition) => log.committed(group, topic, partition),
    ready: async () => {
      checkOpen()
      // With nothing waiting the log needs no room here.
      await store.checkRoom().catch((error: unknown) => (gate.isOpen() ? log.ready() : Promise.reject(error)))
    },
    figures: () => ({ records: store.records(), bytes: store.bytes(), bytesMax, oldestAt: store.oldestAt(), spooling: !gate.isOpen() }),
    close: async () => {
      if (closed) return
      closed = true
      if (!gate.isOpen() && !gate.isShut()) gate.shut()
      pauses.endAll()
      await Promise.race([Promise.allSettled([...flying, draining]), pauses.pause(CLOSE_MS_MAX)])
      pauses.endAll()
      await log.close()
      if (store.records() > 0) tell.of('spool.left', `${store.records()} records, ${store.bytes()} bytes, wait in ${dir} for the next start`)
      await store.close()
    },
  }
}

/** Nobody took it, or nobody said so. A log that is closed takes nothing ever. */
const isAway = (error: unknown): error is LogUnavailable => error instanceof LogUnavailable && error.code !== 'LOG_CLOSED'
