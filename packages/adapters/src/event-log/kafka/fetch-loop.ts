import type { Cluster } from './client.ts'
import { fetchPlaces, type Fetched, type FetchOutcome, type Place } from './fetch.ts'
import { errorType, isPassing } from './faults.ts'

/** One partition as its fetches see it. */
export interface FetchTarget {
  readonly topic: string
  readonly partition: number
  /** The offset to fetch next; null while there is no room, or nobody to take it. */
  wants(): number | null
  /** Only when it still wants what was asked for. */
  push(fetched: Fetched): void
  fail(error: Error): void
}

export interface FetchLoop {
  /** Somebody wants something, or wants something else. */
  wake(): void
  stop(): Promise<void>
}

export interface FetchLoopDeps {
  readonly cluster: Cluster
  readonly topics: readonly string[]
  targets(): readonly FetchTarget[]
}

/** While all partitions wait at the broker nothing else can come; while one is full it may have room soon. */
const WAIT_MS_ALL = 250
const WAIT_MS_SOME = 25
const BYTES_MAX = 16_777_216
const PARTITION_BYTES_MAX = 4_194_304
const BACK_OFF_MS = 20
const BACK_OFF_MS_MAX = 1_000

const LEADER_MOVED = new Set(['NOT_LEADER_FOR_PARTITION', 'LEADER_NOT_AVAILABLE', 'UNKNOWN_TOPIC_OR_PARTITION', 'REPLICA_NOT_AVAILABLE', 'KAFKA_STORAGE_ERROR', 'UNKNOWN_LEADER_EPOCH', 'FENCED_LEADER_EPOCH', 'OFFSET_NOT_AVAILABLE'])

/** One fetch after another for all partitions that have room; a slow handler holds up its own partition only. */
export const startFetchLoop = ({ cluster, topics, targets }: FetchLoopDeps): FetchLoop => {
  const state = { stopped: false, woken: false, wake: (): void => {} }

  const sleep = (ms?: number): Promise<void> =>
    new Promise((resolve) => {
      if (state.stopped || state.woken) return resolve()
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
      state.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const fetchOnce = async (): Promise<'nothing wanted' | 'fetched' | 'moved'> => {
    const all = targets()
    const wanting = all.flatMap((target) => {
      const from = target.wants()
      return from === null ? [] : [{ target, place: { topic: target.topic, partition: target.partition, from } satisfies Place }]
    })
    if (wanting.length === 0) return 'nothing wanted'
    await cluster.refreshMetadataIfNecessary()
    const outcomes = await fetchPlaces(cluster, wanting.map(({ place }) => place), {
      waitMs: wanting.length === all.length ? WAIT_MS_ALL : WAIT_MS_SOME, bytesMax: BYTES_MAX, partitionBytesMax: PARTITION_BYTES_MAX,
    })
    let moved = false
    for (const outcome of outcomes) {
      const found = wanting.find(({ place }) => place === outcome.place)
      // A partition that was opened again meanwhile wants another offset, or is another target.
      if (!found || found.target.wants() !== outcome.place.from || !targets().includes(found.target)) continue
      moved = deliver(found.target, outcome) || moved
    }
    return moved ? 'moved' : 'fetched'
  }

  const run = async (): Promise<void> => {
    let backOff = BACK_OFF_MS
    while (!state.stopped) {
      state.woken = false
      try {
        await cluster.addMultipleTargetTopics(topics)
        const outcome = await fetchOnce()
        if (outcome === 'nothing wanted') await sleep()
        if (outcome !== 'moved') {
          backOff = BACK_OFF_MS
          continue
        }
      } catch (error) {
        // A broker that is away or restarts is told by `ready` and by the lag; the next fetch connects again.
        if (!isPassing(error)) for (const target of targets()) target.fail(error as Error)
      }
      await cluster.refreshMetadata().catch(() => undefined)
      await sleep(backOff)
      backOff = Math.min(backOff * 2, BACK_OFF_MS_MAX)
    }
  }
  const done = run()
  return {
    wake() {
      state.woken = true
      state.wake()
    },
    async stop() {
      state.stopped = true
      state.wake()
      await done
    },
  }
}

/** True when the partition's leader must be looked up again. */
const deliver = (target: FetchTarget, outcome: FetchOutcome): boolean => {
  if (!('error' in outcome)) {
    target.push(outcome.fetched)
    return false
  }
  if (LEADER_MOVED.has(errorType(outcome.error))) return true
  target.fail(outcome.error)
  return false
}
