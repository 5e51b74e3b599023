import type { ConsumeOptions, Subscription } from '@millrace/ports'
import type { LmdbRoot } from '../lmdb/open.ts'
import type { Codec } from '../hot-store/codec.ts'
import { runPartition, type PartitionRun } from './embedded-partition.ts'
import { readExtent } from './embedded-records.ts'
import type { Turns } from './embedded-turns.ts'
import type { WakeUps } from './embedded-wake-ups.ts'

export interface BackOff {
  readonly firstMs: number
  readonly mostMs: number
}

export interface SubscriptionSetup {
  readonly root: LmdbRoot
  readonly wakeUps: WakeUps
  readonly turns: Turns
  readonly codec: Codec
  readonly backOff: BackOff
  readonly consume: ConsumeOptions
  readonly partitions: readonly { readonly topic: string; readonly partition: number }[]
}

/** All partitions of a group in this process: each has a loop of its own. */
export const subscribe = (setup: SubscriptionSetup): Subscription => {
  const runs = setup.partitions.map((at) => runPartition({ ...setup, ...at }))
  return {
    drain: async () => {
      await Promise.all(runs.map((run) => drain(setup, run)))
    },
    stop: async () => {
      await Promise.all(runs.map((run) => run.stop()))
    },
  }
}

const drain = async ({ root }: SubscriptionSetup, run: PartitionRun): Promise<void> => {
  const { topic, partition } = run
  const target = readExtent(root, topic, partition).next
  await run.reach(target)
}
