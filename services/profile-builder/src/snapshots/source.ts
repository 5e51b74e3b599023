import { foldScope, type ProfileDocument, SNAPSHOT, type SnapshotPosition } from '../fold/documents.ts'
import { openBacklog, type SourceDeps } from './backlog.ts'
import { type Change, changeOf, type Portion } from './change.ts'

/** The changes of one partition, oldest first. */
export interface Source {
  /** Documents of a batch whose state is stored; one without slots is a person that is gone. */
  changed(documents: ReadonlyMap<string, ProfileDocument>, end: number): void
  /** Persons that wait to be written. */
  waiting(): number
  /** Up to where the state is stored, and up to where the column store has it. */
  stored(): number
  reached(): number
  /** The next portion, or null when the column store has everything. The same comes again until `done`. */
  next(): Promise<Portion | null>
  done(portion: Portion): Promise<void>
}

/** A position without a changed person need not be kept at once: reading so many records again costs little. */
const IDLE_RECORDS = 1000

/**
 * Exact over a crash at any point: the position up to which the column store has everything is stored only after the
 * insert, and who changed between it and the watermark is read from the log again. A row that is written twice has
 * the same version and the same content, so it replaces itself; a smaller version never wins.
 */
export const openSource = async (deps: SourceDeps, partition: number, watermark: number): Promise<Source> => {
  const scope = foldScope(partition)
  const [told] = (await deps.hot.get(scope, [SNAPSHOT])) as [SnapshotPosition | undefined]
  let kept = told?.position ?? 0
  let reached = kept
  const backlog = await openBacklog(deps, partition, kept, watermark)
  let changes = new Map<string, Change>()
  let stored = watermark
  let offered: Portion | null = null

  const keep = async (position: number): Promise<void> => {
    await deps.hot.update(scope, SNAPSHOT, (before) => {
      const known = (before as SnapshotPosition | undefined)?.position ?? 0
      return known >= position ? before : ({ position } satisfies SnapshotPosition)
    })
    kept = position
  }

  return {
    waiting: () => changes.size + (offered?.changes.length ?? 0),
    stored: () => stored,
    reached: () => reached,
    changed: (documents, end) => {
      for (const [key, document] of documents) changes.set(key, changeOf(key, document))
      stored = end
    },
    next: async () => {
      offered ??= await backlog.next(reached)
      if (offered === null && stored > reached) {
        offered = { changes: [...changes.values()], position: stored }
        changes = new Map()
      }
      return offered
    },
    done: async (portion) => {
      if (portion.position > kept && (portion.changes.length > 0 || portion.position - kept >= IDLE_RECORDS)) await keep(portion.position)
      reached = Math.max(reached, portion.position)
      offered = null
    },
  }
}
