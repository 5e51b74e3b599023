import { LogUnavailable } from '@millrace/ports'
import { CommitterClosed } from '../lmdb/committer.ts'
import { StoreBroken } from '../lmdb/guard.ts'
import { NoRoom } from '../lmdb/room.ts'

/** What a store in lmdb that takes nothing now is for whoever appends. @throws always */
export const refuse = (error: unknown): never => {
  if (error instanceof NoRoom) throw new LogUnavailable('LOG_FULL', error.message, 10)
  if (error instanceof CommitterClosed || error instanceof StoreBroken) throw new LogUnavailable('LOG_CLOSED', error.message)
  throw error
}
