import { topics } from '@millrace/contracts'
import type { Assignment, Batch, HotStore, PartitionConsumer, Step } from '@millrace/ports'
import type { Millis } from '@millrace/contracts'
import { openOwnScope, type OwnScope } from '@millrace/service-kit'
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
export const openConsumer = (deps: ConsumeDeps) => async (assignment: Assignment): Promise<PartitionConsumer> => {
  const scope = await openOwnScope(deps.hot, scopeOf(assignment.partition), assignment)
  const state = await openPartition(deps, scope)
  return consumerOf(state, scope, deps.watch(assignment.partition), deps.probe)
}

const consumerOf = (state: Partition, scope: OwnScope, watch: PartitionWatch, probe: ConsumeDeps['probe']): PartitionConsumer => {
  let outcome: Outcome | undefined
  return {
    from: scope.from,
    scope: scope.name,
    handle: async (batch: Batch): Promise<Step> => {
      outcome = await state.handle(batch)
      probe('segmentation.handled')
      return outcome.step
    },
    stored: (batch) => {
      scope.stored(batch.end)
      if (outcome) watch.stored({ clock: state.clock(), earliestTimer: outcome.earliestTimer, rulesChanged: outcome.rulesChanged })
    },
    close: () => watch.close(),
  }
}

export const INPUT = topics.resolved.name
