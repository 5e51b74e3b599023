import type { StateWrite } from '@millrace/ports'
import { KEY_BYTES_MAX } from '../lmdb/keys.ts'
import type { Codec } from './codec.ts'

/** One step of a consumer is one script: Redis does nothing else meanwhile, and holds its arguments at once. */
const WRITE_BYTES_MAX = 256 * 1024 * 1024
/** Redis takes 1,048,576 arguments a command; a put or a set timer has two. */
const WRITE_CHANGES_MAX = 400_000

/** One state write is over the bound; the consumer must take smaller batches. Nothing of it was stored. */
export class WriteTooLarge extends Error {
  override readonly name = 'WriteTooLarge'
}

export type Argument = string | Buffer

/** The arguments of the script `apply`, in parts: spread into one call they would not fit its stack. @throws before anything is sent, so a write that Redis would stop halfway never starts */
export const applyArguments = (codec: Codec, write: StateWrite, over: number | undefined): readonly (readonly Argument[])[] => {
  const { scope, watermark, puts, deletes } = write
  const timers = [...new Map(write.timers)]
  const changes = puts.length + deletes.length + timers.length
  if (changes > WRITE_CHANGES_MAX) throw new WriteTooLarge(`the write of ${scope} at ${watermark} has ${changes} changes, ${WRITE_CHANGES_MAX} is the most`)
  if (!Number.isFinite(watermark)) throw new Error(`a watermark must be a number: ${watermark}`)
  const documents: Argument[] = []
  let bytes = 0
  for (const [key, document] of puts) {
    const value = codec.encode(document)
    bytes += value.length
    documents.push(checkedKey(scope, key), value)
  }
  if (bytes > WRITE_BYTES_MAX) throw new WriteTooLarge(`the write of ${scope} at ${watermark} has ${bytes} bytes, ${WRITE_BYTES_MAX} is the most`)
  const set = timers.filter((timer): timer is [string, number] => timer[1] !== null)
  const clear = timers.filter(([, at]) => at === null)
  const sizes = [puts, deletes, set, clear].map(({ length }) => String(length))
  return [
    [String(watermark), over === undefined ? '' : String(over), ...sizes],
    documents,
    deletes,
    set.flatMap(([id, at]) => [timeText(at), checkedKey(scope, id, TIME_BYTES)]),
    clear.map(([id]) => id),
  ]
}

const TIME_BYTES = 8

/** The same bound as in the embedded store, so that both wirings refuse the same. */
export const checkedKey = (scope: string, key: string, more = 0): string => {
  const bytes = Buffer.byteLength(scope) + 1 + Buffer.byteLength(key) + more
  if (bytes > KEY_BYTES_MAX) throw new Error(`a key of ${bytes} bytes is too long, ${KEY_BYTES_MAX} is the most`)
  return key
}

/** Whole milliseconds, as the embedded store keeps them. */
const timeText = (at: number): string => {
  if (!Number.isFinite(at)) throw new Error(`a timer must have a time: ${at}`)
  return String(Math.ceil(at))
}
