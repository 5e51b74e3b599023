import { type Zone } from '@millrace/contracts'
import { createHash } from 'node:crypto'
import type { Clock, ColumnStore } from '@millrace/ports'
import type { Logger } from '@millrace/service-kit'
import { rowBytes, STORE_DATABASE } from '@millrace/warehouse'
import { parsePersonKey, type ProfileDocument } from '../fold/documents.ts'
import type { SourceDeps } from './backlog.ts'
import type { Change, Portion } from './change.ts'
import { rowOf } from './rows.ts'
import { openSource, type Source } from './source.ts'

export interface SnapshotDeps extends SourceDeps {
  readonly columns: ColumnStore
  readonly clock: Clock
  readonly logger: Logger
  readonly zoneOf: (project: number) => Promise<Zone>
  /** For /metrics. */
  readonly onWritten?: (rows: number) => void
  readonly onFailed?: () => void
  /** Called at named points, for tests that end the process there. */
  readonly probe?: (point: string) => void
}

export interface SnapshotConfig {
  /** A changed profile is in the column store after this time, and the time of an insert. */
  readonly intervalMs: number
  readonly rowsMax: number
  /** Persons that may wait; above it, fold waits. */
  readonly waitingMax: number
}

/** What fold tells of one partition. */
export interface PartitionSnapshots {
  changed(documents: ReadonlyMap<string, ProfileDocument>, end: number): void
  /** Resolves when fewer persons wait than the bound: the back-pressure of the column store. */
  room(): Promise<void>
  close(): Promise<void>
}

export interface Snapshots {
  open(partition: number, watermark: number): Promise<PartitionSnapshots>
  /** Persons that wait to be written. */
  waiting(): number
  /** Resolves when the column store has what is stored now. @throws what the column store throws */
  flush(): Promise<void>
  stop(): Promise<void>
}

const BYTES_MAX = 4 << 20
const ROWS_BETWEEN_PAUSES = 100
const RETRY_MS = { first: 500, most: 10_000 }
/**
 * Writing takes at most about a fifth of the time: under a load that makes passes long they become rarer, and a person
 * with many events is written once for all of them. A row for each event was a third of the cost of an import.
 */
const REST = { timesPass: 4, mostMs: 5_000 }

/** Writes changed profiles to the column store, all partitions in one pass, one pass at a time. */
export const createSnapshots = (deps: SnapshotDeps, config: SnapshotConfig): Snapshots => {
  const sources = new Map<number, Source>()
  let running: Promise<boolean> | undefined
  let cancel: (() => void) | undefined
  let failures = 0
  let stopped = false
  let passMs = 0

  const pass = async (): Promise<boolean> => {
    // How long the machine takes is real time, whatever clock the system runs on.
    const startedAt = performance.now()
    const portions: { readonly source: Source; readonly portion: Portion }[] = []
    for (const source of sources.values()) {
      const portion = await source.next()
      if (portion) portions.push({ source, portion })
    }
    // One insert for all partitions: an insert costs the column store as much as hundreds of rows.
    await write(deps, config, portions.flatMap(({ portion }) => portion.changes))
    for (const { source, portion } of portions) {
      await source.done(portion)
      deps.probe?.('snapshot.position-stored')
    }
    passMs = performance.now() - startedAt
    return portions.length > 0
  }
  const pauseMs = (): number => Math.max(config.intervalMs, Math.min(REST.mostMs, passMs * REST.timesPass))
  const runOnce = (): Promise<boolean> => (running ??= pass().finally(() => { running = undefined }))

  const isOpen = (source: Source): boolean => [...sources.values()].includes(source)

  const later = (ms: number): void => {
    if (cancel || stopped) return
    cancel = deps.clock.after(ms, () => {
      cancel = undefined
      runOnce().then(onDone, onFailure)
    })
  }
  const onDone = (more: boolean): void => {
    failures = 0
    // Changes wait for each other: many small inserts cost the column store more than a few larger ones.
    if (more) later(pauseMs())
  }
  const onFailure = (err: unknown): void => {
    failures++
    deps.onFailed?.()
    deps.logger.warn({ event: 'snapshot.retried', failures, err }, 'profiles wait for the column store')
    later(Math.min(RETRY_MS.most, RETRY_MS.first * 2 ** Math.min(failures, 10)))
  }

  return {
    open: async (partition, watermark) => {
      const source = await openSource(deps, partition, watermark)
      sources.set(partition, source)
      later(config.intervalMs)
      return {
        changed: (documents, end) => {
          source.changed(documents, end)
          later(pauseMs())
        },
        room: async () => {
          // A pass that fails is thrown to fold: the partition is opened again after a back-off, nothing is lost.
          while (source.waiting() > config.waitingMax) if (!(await runOnce())) return
        },
        close: async () => {
          if (sources.get(partition) === source) sources.delete(partition)
          await running?.catch(() => undefined)
        },
      }
    },
    waiting: () => [...sources.values()].reduce((sum, source) => sum + source.waiting(), 0),
    flush: async () => {
      await running?.catch(() => undefined)
      const goals = [...sources.values()].map((source) => [source, source.stored()] as const)
      // A pass takes one portion of each partition; what comes meanwhile is not waited for.
      while (goals.some(([source, goal]) => source.reached() < goal && isOpen(source))) await runOnce()
    },
    stop: async () => {
      stopped = true
      cancel?.()
      cancel = undefined
      await running?.catch(() => undefined)
    },
  }
}

/** Bounded inserts, each of one project: the table is partitioned by it. */
const write = async (deps: SnapshotDeps, config: SnapshotConfig, changes: readonly Change[]): Promise<void> => {
  for (const [project, mine] of byProject(changes)) {
    const zone = await deps.zoneOf(project)
    let rows: string[] = []
    let bytes = 0
    const insert = async (): Promise<void> => {
      if (rows.length === 0) return
      const block = rowBytes(rows)
      deps.probe?.('snapshot.before-insert')
      await deps.columns.insert({ table: `${STORE_DATABASE}.profiles`, rows: block, token: tokenOf(block) })
      deps.probe?.('snapshot.inserted')
      deps.onWritten?.(rows.length)
      rows = []
      bytes = 0
    }
    for (const [at, change] of mine.entries()) {
      // A row takes a tenth of a millisecond: requests are answered in between.
      if (at > 0 && at % ROWS_BETWEEN_PAUSES === 0) await new Promise<void>((resolve) => setImmediate(resolve))
      const row = rowOf(change, zone)
      rows.push(row)
      bytes += row.length
      if (rows.length >= config.rowsMax || bytes >= BYTES_MAX) await insert()
    }
    await insert()
  }
}

/** By content: the same rows are the same insert, others never. */
const tokenOf = (block: Uint8Array): string => `profiles:${createHash('sha256').update(block).digest('hex')}`

const byProject = (changes: readonly Change[]): ReadonlyMap<number, Change[]> => {
  const parts = new Map<number, Change[]>()
  for (const change of changes) {
    const { project } = parsePersonKey(change.key)
    const part = parts.get(project)
    if (part) part.push(change)
    else parts.set(project, [change])
  }
  return parts
}
