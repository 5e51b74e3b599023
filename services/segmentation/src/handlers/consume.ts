import { topics } from '@millrace/contracts'
import type { Assignment, Batch, HotStore, PartitionConsumer, Step } from '@millrace/ports'
import type { Millis } from '@millrace/contracts'
import { scopeOf } from './documents.ts'
import { openPartition, type Outcome, type Partition, type PartitionDeps } from './partition.ts'

export const GROUP = 'segmentation'

/** What others do when a partition is taken, has moved on, or is given away. */
export interface PartitionWatch {
  stored(at: { readonly clock: Millis; readonly earliestTimer: Millis | null; readonly rulesChanged: boolean }): void
  close(): Promise<void>
}

export interface ConsumeDeps extends PartitionDeps {
  readonly hot: HotStore
  readonly watch: (partition: number) => PartitionWatch
  readonly probe: (point: string) => void
}

/** One partition in the hands of this copy. A fault throws all of its memory away: the next `open` reads what is stored. */
export const openConsumer = (deps: ConsumeDeps) => async ({ partition, committed }: Assignment): Promise<PartitionConsumer> => {
  const state = await openPartition(deps, partition)
  const watermark = await deps.hot.watermark(scopeOf(partition))
  const watch = deps.watch(partition)
  return consumerOf(state, watch, Math.min(watermark ?? 0, committed.offset), deps.probe)
}

const consumerOf = (state: Partition, watch: PartitionWatch, from: number, probe: ConsumeDeps['probe']): PartitionConsumer => {
  let outcome: Outcome | undefined
  return {
    from,
    handle: async (batch: Batch): Promise<Step> => {
      outcome = await state.handle(batch)
      probe('segmentation.handled')
      return outcome.step
    },
    stored: () => {
      if (outcome) watch.stored({ clock: state.clock(), earliestTimer: outcome.earliestTimer, rulesChanged: outcome.rulesChanged })
    },
    close: () => watch.close(),
  }
}

export const INPUT = topics.resolved.name
