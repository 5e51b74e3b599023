import { topics } from '@millrace/contracts'
import { SINK_GROUP } from '@millrace/metrics'
import type { ColumnStore, EventLog } from '@millrace/ports'
import { StartFault } from './fault.ts'

/**
 * A warehouse that lost its tables or a part of one opens without a word, and would answer with numbers that are too
 * small. @param fresh whether its tables were made just now @throws StartFault
 */
export const checkWarehouse = async (folder: string, log: EventLog, columns: ColumnStore, fresh: boolean): Promise<void> => {
  if (fresh && (await hasStored(log))) throw broken(folder, 'the events that its log has written to its warehouse are not there')
  const [detached] = await columns.query<{ parts: number }>("SELECT count() AS parts FROM system.detached_parts WHERE reason LIKE 'broken%'")
  if (Number(detached?.parts ?? 0) > 0) throw broken(folder, `${detached!.parts} parts of its warehouse cannot be read`)
}

/** Whether the sink has ever finished a batch of events. */
const hasStored = async (log: EventLog): Promise<boolean> => {
  const { name, partitions } = topics.resolved
  const committed = await Promise.all(Array.from({ length: partitions }, (_, partition) => log.committed(SINK_GROUP, name, partition)))
  return committed.some(({ offset }) => offset > 0)
}

const broken = (folder: string, how: string): StartFault =>
  new StartFault(`The data folder ${folder} is broken (${how}): restore it from a backup, or choose another with --data-dir.`)
