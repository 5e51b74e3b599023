import type { StateWrite } from '@millrace/ports'
import { keyOf, timeBytes } from '../lmdb/keys.ts'
import type { Reader, WriteSet } from '../lmdb/write-set.ts'
import type { Codec } from './codec.ts'

/** The watermark of a scope, null when nothing was written in it. */
export const readWatermark = (reader: Reader, scope: string): number | null => {
  const bytes = reader.get('watermarks', keyOf(scope, ''))
  return bytes ? bytes.readDoubleBE(0) : null
}

/** Plans one state write. False, and nothing planned, when the stored watermark is not smaller or not `over`. */
export const planState = (writes: WriteSet, codec: Codec, write: StateWrite, over?: number): boolean => {
  const before = readWatermark(writes, write.scope)
  if (before !== null && before >= write.watermark) return false
  if (over !== undefined && over !== (before ?? 0)) return false
  const mark = Buffer.allocUnsafe(8)
  mark.writeDoubleBE(write.watermark)
  writes.put('watermarks', keyOf(write.scope, ''), mark)
  for (const [key, document] of write.puts) writes.put('documents', keyOf(write.scope, key), codec.encode(document))
  for (const key of write.deletes) writes.remove('documents', keyOf(write.scope, key))
  for (const [id, at] of write.timers) planTimer(writes, write.scope, id, at)
  return true
}

const planTimer = (writes: WriteSet, scope: string, id: string, at: number | null): void => {
  const idKey = keyOf(scope, id)
  const before = writes.get('timer-ids', idKey)
  if (before) writes.remove('timers', timerKey(scope, before, id))
  if (at === null) return writes.remove('timer-ids', idKey)
  writes.put('timer-ids', idKey, timeBytes(at))
  writes.put('timers', timerKey(scope, timeBytes(at), id), NOTHING)
}

const NOTHING = Buffer.of(0)

const timerKey = (scope: string, at: Buffer, id: string): Buffer => keyOf(scope, Buffer.concat([at, Buffer.from(id)]))

/** About how many bytes a state write takes, without encoding it. */
export const stateBytes = (write: StateWrite): number =>
  64 + (write.puts.length + write.deletes.length + write.timers.length) * 128
