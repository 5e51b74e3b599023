import type { Batch, EventLog, NewRecord, PartitionConsumer, Step } from '@millrace/ports'

export interface Refolding {
  /** Topics whose records are there already. */
  readonly recorded: ReadonlySet<string>
  /** What a batch would have written to these topics, once it is stored. */
  readonly dropped?: (group: string, records: readonly NewRecord[]) => void
  readonly onFault: (error: unknown, group: string) => void
}

/**
 * The log of a replay: consumers read what was recorded, and what they would write to recorded topics is left out.
 * All else (the map, the flips) they tell anew. So each topic is folded in its own recorded order.
 */
export const refoldLog = (log: EventLog, refolding: Refolding): EventLog => {
  const isNew = ({ topic }: NewRecord): boolean => !refolding.recorded.has(topic)
  return {
    ...log,
    append: async (records) => log.append(records.filter(isNew)),
    consume: (options) =>
      log.consume({
        ...options,
        open: async (assignment) => refold(await options.open(assignment), options.group, isNew, refolding),
        onFault: (error, at) => {
          options.onFault(error, at)
          refolding.onFault(error, options.group)
        },
      }),
  }
}

const refold = (
  consumer: PartitionConsumer, group: string, isNew: (record: NewRecord) => boolean, { dropped }: Refolding,
): PartitionConsumer => {
  let left: readonly NewRecord[] = []
  return {
    from: consumer.from,
    ...(consumer.scope === undefined ? {} : { scope: consumer.scope }),
    ...(consumer.firstBatchEnd === undefined ? {} : { firstBatchEnd: consumer.firstBatchEnd }),
    handle: async (batch: Batch): Promise<Step> => {
      const step = await consumer.handle(batch)
      left = step.outputs.filter((record) => !isNew(record))
      return { ...step, outputs: step.outputs.filter(isNew) }
    },
    stored: (batch) => {
      dropped?.(group, left)
      left = []
      consumer.stored?.(batch)
    },
    close: () => consumer.close(),
  }
}
