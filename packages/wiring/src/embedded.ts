import { join } from 'node:path'
import {
  createEmbeddedHotStore, createEmbeddedLog, createSystemClock, createSystemIds, openLmdb, type SyncMode,
} from '@millrace/adapters'
import type { Clock, EventLog, HotStore, Ids } from '@millrace/ports'

export interface EmbeddedOptions {
  /** The data folder; the log lives in its `log`. */
  readonly dataDir: string
  readonly clock?: Clock | undefined
  readonly ids?: Ids | undefined
  readonly syncMode?: SyncMode | undefined
  readonly freeBytesMin?: number | undefined
  readonly probe?: ((point: string) => void) | undefined
}

/** Everything that a service is given, in one process. */
export interface Embedded {
  readonly log: EventLog
  readonly hot: HotStore
  readonly clock: Clock
  readonly ids: Ids
  close(): Promise<void>
}

/** @throws DataDirHeld when another process works in the folder */
export const createEmbedded = async (options: EmbeddedOptions): Promise<Embedded> => {
  const { dataDir, syncMode, freeBytesMin, probe } = options
  const clock = options.clock ?? createSystemClock()
  const root = await openLmdb(join(dataDir, 'log'), { syncMode, freeBytesMin, probe })
  const log = createEmbeddedLog({ root })
  const hot = createEmbeddedHotStore({ root, clock })
  return {
    log,
    hot,
    clock,
    ids: options.ids ?? createSystemIds(),
    close: async () => {
      await log.close()
      await hot.close()
      await root.close()
    },
  }
}
