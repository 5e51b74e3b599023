/** One record to append; the partition is always named, so every adapter files it alike. */
export interface NewRecord {
  readonly topic: string
  readonly partition: number
  /** For compaction and for other systems; not used to choose the partition. */
  readonly key?: string
  readonly value: Uint8Array
}

export interface LogRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly value: Uint8Array
}

/** Offsets of a partition: `first` is the oldest kept, `next` the one that the next record will get. */
export interface Extent {
  readonly partition: number
  readonly first: number
  readonly next: number
}

/** Where a group stands in a partition: `offset` is the next to read; `metadata` belongs to that position. */
export interface Committed {
  readonly offset: number
  readonly metadata: string
}

/** All changes of one scope of the hot store by one step, and the position that they include. */
export interface StateWrite {
  readonly scope: string
  /** Offset of the input partition up to which (exclusive) the state includes everything. */
  readonly watermark: number
  readonly puts: readonly (readonly [key: string, document: unknown])[]
  readonly deletes: readonly string[]
  /** Timers to set, or to clear with null. One timer per id. */
  readonly timers: readonly (readonly [id: string, at: number | null])[]
}

/** What a consumer made of one batch. Outputs and the position behind the batch become visible together. */
export interface Step {
  readonly outputs: readonly NewRecord[]
  readonly metadata?: string
  /** Written with the commit where the wiring can (one lmdb transaction), else right after it. */
  readonly state?: StateWrite
}

export interface Batch {
  readonly records: readonly LogRecord[]
  /** The offset behind the batch. Not always the last record's + 1: a log may skip offsets. */
  readonly end: number
  /** The whole batch lies below the committed position: fold it into the state; outputs are dropped. */
  readonly replayed: boolean
  /** Nothing more was in the partition when the batch was read. */
  readonly caughtUp: boolean
}

export interface Assignment {
  readonly topic: string
  readonly partition: number
  readonly committed: Committed
  /** Commits the same position again with new metadata, before a side effect. Fenced like any commit. */
  declare(metadata: string): Promise<void>
}

/** One partition in the hands of one copy, until `close`. Batches come one at a time, in order. */
export interface PartitionConsumer {
  /** Where to start reading: the committed offset, or below it to rebuild state that lags behind. */
  readonly from: number
  /**
   * The scope of its state, where `from` is the watermark (0 for an empty one). A step's state is then taken only over
   * exactly what this consumer built on, and a partition without traffic notices, too, that the store went back.
   */
  readonly scope?: string
  /** The first batch that starts at the committed offset must end exactly here (a declared batch). */
  readonly firstBatchEnd?: number
  handle(batch: Batch): Promise<Step>
  /** After outputs, position and state are stored. */
  stored?(batch: Batch): void
  close(): Promise<void>
}

export interface ConsumeOptions {
  readonly group: string
  readonly topics: readonly string[]
  readonly batchRecordsMax: number
  readonly batchBytesMax: number
  /** Wait this long for a batch to fill once its first record is there. 0: hand over at once. */
  readonly lingerMs: number
  open(assignment: Assignment): Promise<PartitionConsumer>
  /** A handler or a commit failed for good; the partition is reopened after a back-off. A SubscriptionEnded is the last one. */
  onFault(error: unknown, at: { topic: string; partition: number }): void
}

export interface Subscription {
  /** Resolves when everything that was in the topics at the call has been handled and stored. */
  drain(): Promise<void>
  stop(): Promise<void>
}

export interface ReadBounds {
  readonly recordsMax: number
  readonly bytesMax: number
}

/** The log: topics of partitions of records, consumer groups, atomic output with position. */
export interface EventLog {
  /**
   * Durable when it resolves. After an error some of the records may be there all the same: the caller sends
   * again, and repeats are removed behind the log. @throws LogUnavailable
   */
  append(records: readonly NewRecord[]): Promise<void>
  consume(options: ConsumeOptions): Promise<Subscription>
  /** Records from `from` on, at most to the bounds; one record comes even when it is over `bytesMax`. */
  read(topic: string, partition: number, from: number, bounds: ReadBounds): Promise<readonly LogRecord[]>
  extents(topic: string): Promise<readonly Extent[]>
  committed(group: string, topic: string, partition: number): Promise<Committed>
  /** Resolves when an append would be taken now. @throws LogUnavailable with the reason */
  ready(): Promise<void>
  close(): Promise<void>
}

/** The log takes nothing now: the caller answers 503 or 429 with Retry-After and has lost nothing. */
export class LogUnavailable extends Error {
  override readonly name = 'LogUnavailable'
  readonly code: 'LOG_FULL' | 'LOG_BUSY' | 'LOG_CLOSED'
  readonly retryAfterSeconds: number
  constructor(code: 'LOG_FULL' | 'LOG_BUSY' | 'LOG_CLOSED', message: string, retryAfterSeconds = 1) {
    super(message)
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Nothing more will be read and nothing tries again: the process must end, so that a supervisor sees it. */
export class SubscriptionEnded extends Error {
  override readonly name = 'SubscriptionEnded'
  readonly code = 'SUBSCRIPTION_ENDED'
  constructor(group: string, cause: unknown) {
    super(`the group ${group} cannot be read any more: ${(cause as Error).message}`, { cause })
  }
}
