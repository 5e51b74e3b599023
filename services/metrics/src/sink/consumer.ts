import type { Assignment, Batch, ColumnStore, PartitionConsumer, Step } from '@millrace/ports'
import type { Encode, SinkBatch } from './blocks.ts'
import { DECLARED, type SinkStrategy } from './strategy.ts'

export interface SinkDeps {
  readonly columns: Pick<ColumnStore, 'insert'>
  /** Rows of a batch, the same on each call. */
  readonly encode: Encode
  /** After rows of the map are in: lets queries see them. Called before the position is committed. */
  readonly mapStored: () => Promise<void>
  /** After the batch is committed. */
  readonly batchStored?: (encoded: SinkBatch) => void
  /** Named points at which tests end the process. */
  readonly probe?: (point: string) => void
  readonly strategy?: SinkStrategy
}

/**
 * Writes one partition to the column store exactly once. The end of each batch is declared in the metadata of the
 * committed position before the first row is inserted, so whoever opens the partition after a crash inserts the very
 * same blocks with the same tokens, and the store drops those that it has. One insert is in flight per partition.
 */
export const openSinkPartition = (deps: SinkDeps, assignment: Assignment): PartitionConsumer => {
  const { strategy = DECLARED } = deps
  const declared = strategy.read(assignment.committed.metadata)
  let position: Position = { from: assignment.committed.offset, declared }
  let written: SinkBatch | undefined
  return {
    from: position.from,
    ...(declared !== undefined && { firstBatchEnd: declared }),
    handle: async (batch) => {
      written = await writeBatch(deps, strategy, assignment, position, batch)
      return NOTHING_OUT
    },
    stored: (batch) => {
      position = { from: batch.end, declared: undefined }
      if (written) deps.batchStored?.(written)
    },
    close: () => Promise.resolve(),
  }
}

const NOTHING_OUT: Step = { outputs: [], metadata: '' }

interface Position {
  readonly from: number
  /** End of the batch that was declared from here on and perhaps inserted. */
  readonly declared: number | undefined
}

const writeBatch = async (
  deps: SinkDeps,
  strategy: SinkStrategy,
  assignment: Assignment,
  { from, declared }: Position,
  batch: Batch,
): Promise<SinkBatch> => {
  const { topic, partition } = assignment
  if (declared !== undefined && declared !== batch.end)
    throw new Error(`a batch of ${topic}/${partition} is declared up to ${declared}, but ends at ${batch.end}`)
  // Everything that can fail because of the rows themselves has failed before the batch is declared.
  const encoded = await deps.encode(batch)
  if (encoded.blocks.length > 0 && declared === undefined) await strategy.declare(assignment, batch.end)
  deps.probe?.('sink.declared')
  for (const [index, { table, rows }] of encoded.blocks.entries()) {
    if (index > 0) deps.probe?.('sink.between-tables')
    await deps.columns.insert({ table, rows, token: strategy.token(`sink:${topic}:${partition}:${from}:${batch.end}:${table}`) })
  }
  deps.probe?.('sink.inserted')
  if (encoded.changesMap) await deps.mapStored()
  return encoded
}
