import type { Assignment, Batch, PartitionConsumer, Step } from '@millrace/ports'
import { planState, stateBytes } from '../hot-store/embedded-writes.ts'
import { nextBatch } from './embedded-batch.ts'
import { planPosition, planRecords, readPosition, recordsBytes } from './embedded-records.ts'
import type { SubscriptionSetup } from './embedded-subscription.ts'
import { StateRefused } from './state-refused.ts'

export interface PartitionSetup extends SubscriptionSetup {
  readonly topic: string
  readonly partition: number
}

export interface PartitionRun {
  readonly topic: string
  readonly partition: number
  /** Resolves when all below `offset` is handled and stored; batches don't wait to fill meanwhile. @throws when stopped before */
  reach(offset: number): Promise<void>
  /** The batch under way is finished first. */
  stop(): Promise<void>
}

/** What the loop of a partition shares with those who wait on it. */
export interface Progress {
  stopped: boolean
  /** Up to where the open consumer has handled and stored; -1 while none is open. A replay counts from its start. */
  handled: number
  /** How many wait for everything to be handled. */
  hurried: number
  readonly told: Set<() => void>
}

/** Opens, reads, handles, commits; after a fault closes, pauses and opens again from what is stored. */
export const runPartition = (setup: PartitionSetup): PartitionRun => {
  const progress: Progress = { stopped: false, handled: -1, hurried: 0, told: new Set() }
  const tell = (): void => [...progress.told].forEach((told) => told())
  const wake = (): void => setup.wakeUps.wake(setup.topic, setup.partition)
  const ended = keepRunning(setup, progress, tell)
  return {
    topic: setup.topic,
    partition: setup.partition,
    reach: async (offset) => {
      progress.hurried++
      wake()
      try {
        while (progress.handled < offset) {
          if (progress.stopped) throw new Error('the subscription was stopped before everything was handled')
          await new Promise<void>((resolve) => {
            const told = (): void => {
              progress.told.delete(told)
              resolve()
            }
            progress.told.add(told)
          })
        }
      } finally {
        progress.hurried--
      }
    },
    stop: async () => {
      progress.stopped = true
      wake()
      await ended
      tell()
    },
  }
}

const keepRunning = async (setup: PartitionSetup, progress: Progress, tell: () => void): Promise<void> => {
  let pauseMs = setup.backOff.firstMs
  const reached = (offset: number): void => {
    progress.handled = offset
    tell()
  }
  const stored = (offset: number): void => {
    pauseMs = setup.backOff.firstMs
    reached(offset)
  }
  while (!progress.stopped) {
    try {
      await runOnce(setup, progress, { opened: reached, stored })
    } catch (error) {
      progress.handled = -1
      fault(setup, error)
      await pause(setup, progress, pauseMs)
      pauseMs = Math.min(pauseMs * 2, setup.backOff.mostMs)
    }
  }
}

const fault = ({ consume, topic, partition }: PartitionSetup, error: unknown): void =>
  consume.onFault(error, { topic, partition })

// New records must not shorten the pause, a stop must.
const pause = async ({ wakeUps, topic, partition }: PartitionSetup, progress: Progress, ms: number): Promise<void> => {
  const until = performance.now() + ms
  while (!progress.stopped && performance.now() < until) await wakeUps.wait(topic, partition, until - performance.now())
}

interface Tell {
  opened(from: number): void
  stored(end: number): void
}

const runOnce = async (setup: PartitionSetup, progress: Progress, tell: Tell): Promise<void> => {
  const assignment = assign(setup)
  const consumer = await setup.consume.open(assignment)
  try {
    if (consumer.from > assignment.committed.offset) {
      throw new Error(`${setup.consume.group} would start at ${consumer.from}, behind its position ${assignment.committed.offset}`)
    }
    let from = consumer.from
    const built = { upTo: from }
    tell.opened(from)
    for (;;) {
      const batch = await nextBatch(setup, progress, consumer, assignment.committed.offset, from)
      if (!batch) return
      await handle(setup, consumer, batch, built)
      from = batch.end
      tell.stored(from)
    }
  } finally {
    await consumer.close().catch((error: unknown) => fault(setup, error))
  }
}

const assign = (setup: PartitionSetup): Assignment => {
  const { root, consume: { group }, topic, partition } = setup
  return {
    topic,
    partition,
    committed: readPosition(root, group, topic, partition),
    declare: (metadata) =>
      root.commits.commit({
        bytes: 128,
        plan: (writes) => {
          const { offset } = readPosition(writes, group, topic, partition)
          planPosition(writes, group, topic, partition, { offset, metadata })
        },
      }),
  }
}

/** `built` is the watermark that the consumer's memory stands on. */
const handle = async (setup: PartitionSetup, consumer: PartitionConsumer, batch: Batch, built: { upTo: number }): Promise<void> => {
  await setup.turns.next()
  const step = await consumer.handle(batch)
  const stateTaken = await commitStep(setup, batch, step, step.state?.scope === consumer.scope ? built.upTo : undefined)
  // What is stored is whole, but the consumer's memory and the stored state may differ: it must start anew.
  if (!stateTaken) throw new StateRefused(`the state of ${step.state?.scope} at ${step.state?.watermark} was not taken`)
  if (step.state) built.upTo = step.state.watermark
  consumer.stored?.(batch)
}

/** Outputs, position and state in one transaction. False when the state was refused; the rest is stored all the same. */
const commitStep = (
  { root, codec, consume: { group }, topic, partition }: PartitionSetup, batch: Batch, step: Step, over: number | undefined,
): Promise<boolean> => {
  const outputs = batch.replayed ? [] : step.outputs
  return root.commits.commit({
    bytes: 128 + recordsBytes(outputs) + (step.state ? stateBytes(step.state) : 0),
    points: { before: `step.before-commit:${group}`, after: `step.after-commit:${group}` },
    plan: (writes) => {
      if (!batch.replayed) {
        planRecords(writes, outputs)
        planPosition(writes, group, topic, partition, { offset: batch.end, metadata: step.metadata ?? '' })
      }
      return !step.state || planState(writes, codec, step.state, over)
    },
  })
}
