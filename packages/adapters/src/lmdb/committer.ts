import { WriteSet, type Reader } from './write-set.ts'

/** One piece of work for the next transaction. */
interface Job<Result> {
  /** About how many bytes it writes; what waits is bounded by it. */
  readonly bytes: number
  /** Called before the transaction is committed and after it is on disk. */
  readonly points?: { readonly before: string; readonly after: string }
  /** Makes the writes. A throw refuses this job alone. */
  plan(writes: WriteSet): Result
}

export interface Committer {
  /** Resolves with the plan's result when the transaction is on disk. */
  commit<Result>(job: Job<Result>): Promise<Result>
  /** Bytes of the jobs that are not on disk yet. */
  waitingBytes(): number
  /** Commits what waits, then takes nothing more. */
  close(): Promise<void>
}

export interface CommitterOptions {
  readonly reader: Reader
  /** At most one transaction is started in this time; jobs gather meanwhile. */
  readonly everyMs: number
  /** Writes all in one durable transaction or throws and has written nothing. */
  write(writes: WriteSet): Promise<void>
  /** Right after a transaction is on disk, before the jobs are told. */
  committed(writes: WriteSet): void
  probe?: ((point: string) => void) | undefined
}

interface Waiting {
  readonly job: Job<unknown>
  resolve(result: unknown): void
  reject(error: unknown): void
}

/** The committer takes no more: the store was closed or cannot be trusted any more. */
export class CommitterClosed extends Error {
  override readonly name = 'CommitterClosed'
}

/** Group commit: everything that came while the last transaction was on its way goes into the next one. */
export const createCommitter = (options: CommitterOptions): Committer => {
  let queue: Waiting[] = []
  let bytes = 0
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let startedAt = -Infinity

  const isIdle = (): boolean => !running && !timer
  const schedule = (): void => {
    if (running || timer || queue.length === 0) return
    // performance.now: how often the disk is asked is a matter of real time, whatever clock the system runs on
    const wait = Math.max(0, Math.ceil(startedAt + options.everyMs - performance.now()))
    timer = setTimeout(run, wait)
  }

  const run = (): void => {
    timer = undefined
    startedAt = performance.now()
    const group = queue
    queue = []
    // Before anybody is told: whoever appends again at once must find the room that its last append gave back.
    const settled = (): void => {
      bytes -= group.reduce((sum, { job }) => sum + job.bytes, 0)
    }
    running = commitGroup(options, group, settled).finally(() => {
      running = undefined
      schedule()
    })
  }

  return {
    commit: <Result>(job: Job<Result>) => {
      if (closed) return Promise.reject(new CommitterClosed('the store is closed'))
      return new Promise<Result>((resolve, reject) => {
        queue.push({ job, resolve: resolve as (result: unknown) => void, reject })
        bytes += job.bytes
        schedule()
      })
    },
    waitingBytes: () => bytes,
    close: async () => {
      closed = true
      while (!isIdle()) await (running ?? new Promise((resolve) => setTimeout(resolve, 1)))
    },
  }
}

const commitGroup = async (options: CommitterOptions, group: readonly Waiting[], settled: () => void): Promise<void> => {
  const writes = new WriteSet(options.reader)
  const planned = group.flatMap((waiting) => {
    const own = new WriteSet(writes)
    try {
      const result = waiting.job.plan(own)
      writes.merge(own)
      return [{ waiting, result }]
    } catch (error) {
      waiting.reject(error)
      return []
    }
  })
  const points = planned.flatMap(({ waiting }) => waiting.job.points ?? [])
  try {
    points.forEach(({ before }) => options.probe?.(before))
    if (!writes.isEmpty()) await options.write(writes)
    points.forEach(({ after }) => options.probe?.(after))
  } catch (error) {
    settled()
    planned.forEach(({ waiting }) => waiting.reject(error))
    return
  }
  settled()
  options.committed(writes)
  planned.forEach(({ waiting, result }) => waiting.resolve(result))
}
