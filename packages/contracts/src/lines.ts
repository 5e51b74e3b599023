import type { Millis, Order } from './event.ts'
import type { Key } from './keys.ts'

/** Place of one event in the log: partition and offset of its record, index of its line. */
export type Place = readonly [partition: number, offset: number, index: number]

// ── events.accepted, kind `control` ────────────────────────────────────────────────────────────────────
export interface IdentityCommand {
  readonly type: 'identity.command'
  readonly op: 'merge' | 'unlink'
  readonly a: Key
  readonly b: Key
  readonly order: Order
  /** Who asked: shown in the history of the person. */
  readonly by: string
}
export interface KeyPlaced {
  readonly type: 'key.placed'
  readonly key: Key
  readonly person: string
  readonly epoch: number
}
/** The past of one number for a new rule, computed by SQL up to the rule's start; travels like an event. */
export interface StateBackfilled {
  readonly type: 'state.backfilled'
  readonly key: Key
  readonly number: number
  readonly segment: string
  readonly version: number
  /** State of each leaf of the rule, by leaf id. */
  readonly leaves: Readonly<Record<string, unknown>>
}
/** Written once to each partition of events.accepted behind that partition's last `state.backfilled`. */
export interface BackfillCompleted {
  readonly type: 'backfill.completed'
  readonly segment: string
  readonly version: number
}
export type AcceptedControl = IdentityCommand | KeyPlaced | StateBackfilled | BackfillCompleted

// ── identity.facts, kind `facts`: one fact a record, so that it has a position of its own ──────────────
/** `at` is the clock of the event or command that caused the fact (receivedAt): `linkedAt` comes from it. */
export type IdentityFact =
  | { readonly type: 'key.numbered'; readonly key: Key; readonly number: number; readonly at: Millis }
  | { readonly type: 'user.seen'; readonly key: Key; readonly at: Millis }
  | {
      readonly type: 'pair.linked'
      readonly a: Key
      readonly b: Key
      /** The earliest order that links the pair and is not cut; null: the pair is cut. */
      readonly first: Order | null
      readonly unlinkedUpTo: Order | null
      readonly at: Millis
    }
  | { readonly type: 'keys.merged'; readonly a: Key; readonly b: Key; readonly order: Order; readonly by: string; readonly at: Millis }
  | { readonly type: 'keys.unmerged'; readonly a: Key; readonly b: Key; readonly order: Order; readonly by: string; readonly at: Millis }
  | { readonly type: 'keys.aliased'; readonly x: string; readonly y: string; readonly order: Order; readonly at: Millis }

// ── identity.map, kind `map` ───────────────────────────────────────────────────────────────────────────
export type MapLine =
  | {
      readonly type: 'number.mapped'
      readonly number: number
      readonly key: Key
      readonly person: string
      readonly personNumber: number
      /** Clock of the fact that caused it. */
      readonly linkedAt: Millis
      readonly version: number
    }
  | { readonly type: 'link.refused'; readonly a: Key; readonly b: Key; readonly reason: string; readonly version: number }
  | { readonly type: 'link.restored'; readonly a: Key; readonly b: Key; readonly version: number }

// ── events.resolved, kind `resolved` ───────────────────────────────────────────────────────────────────
/** An event under its person. `event` is the sender's own JSON, spliced in without a second serialisation. */
export interface ResolvedEventLine {
  readonly type: 'event'
  /** Index into the record header's origins. */
  readonly origin: number
  readonly key: Key
  readonly number: number
  readonly epoch: number
  readonly person: string
  readonly place: Place
  /** The request that brought it; absent where none is known. */
  readonly request?: string
  readonly event: unknown
}
export interface NumberLeft {
  readonly type: 'number.left'
  readonly number: number
  readonly epoch: number
  readonly nextEpoch: number
  readonly person: string
  /** The person that the number goes to. */
  readonly to: string
}
export interface NumberExpected {
  readonly type: 'number.expected'
  readonly number: number
  readonly epoch: number
  readonly person: string
}
export interface NumberMoved {
  readonly type: 'number.moved'
  /** Which consumer's state this is; the others ignore it. */
  readonly for: 'fold' | 'segmentation'
  readonly number: number
  readonly epoch: number
  readonly person: string
  readonly state: unknown
  readonly clock: Millis
}
export interface ClockAdvanced {
  readonly type: 'clock.advanced'
  readonly at: Millis
}
export interface RuleChanged {
  readonly type: 'rule.changed'
  readonly segment: string
  readonly version: number
  readonly name: string
  /** null: the segment was deleted. */
  readonly rule: unknown
  readonly at: Millis
}
export interface ResolvedBackfill extends Omit<StateBackfilled, 'type'> {
  readonly type: 'state.backfilled'
  readonly epoch: number
  readonly person: string
}
export interface ResolvedBackfillCompleted extends Omit<BackfillCompleted, 'type'> {
  readonly type: 'backfill.completed'
  /** Partition of events.accepted whose backfilled states all lie before this line. */
  readonly from: number
}
export type ResolvedLine =
  | ResolvedEventLine
  | NumberLeft
  | NumberExpected
  | NumberMoved
  | ClockAdvanced
  | RuleChanged
  | ResolvedBackfill
  | ResolvedBackfillCompleted

/**
 * For fold alone: which keys a person has, those too under which no event came (they have no number that could move).
 * `of` names the person; `epoch` is that of the placement, and for a key that left, the one at which it goes.
 */
export interface KeyJoined {
  readonly type: 'key.joined'
  readonly key: Key
  readonly of: string
  readonly epoch: number
}
export interface KeyLeft {
  readonly type: 'key.left'
  readonly key: Key
  readonly of: string
  readonly epoch: number
}
export type KeyLine = KeyJoined | KeyLeft

// ── segment.changed, kind `flips` ──────────────────────────────────────────────────────────────────────
export type FlipCause = 'event' | 'time' | 'merge' | 'backfill' | 'deleted'
export interface FlipLine {
  readonly type: 'flip'
  readonly segment: string
  readonly version: number
  readonly person: string
  readonly flip: 'entered' | 'exited'
  readonly at: Millis
  /** 1, 2, 3 … per person and segment; odd numbers are entries. */
  readonly number: number
  readonly cause: FlipCause
}

// ── events.rejected, kind `rejected` ───────────────────────────────────────────────────────────────────
export interface RejectedLine {
  readonly code: string
  readonly detail: string
  /** The bytes as they came, base64: they may not be text. */
  readonly bytes: string
  readonly messageId: string | null
}
