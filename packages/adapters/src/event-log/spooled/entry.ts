import type { NewRecord } from '@millrace/ports'

/** One record in the spool. */
export interface Entry {
  readonly record: NewRecord
  /** When it was taken. */
  readonly at: number
  /** It was given to the log, which did not answer: from this offset on the log may have it. Null: it was never sent. */
  readonly mayBeFrom: number | null
}

/** Length of the head, the head as JSON, the record's bytes. */
export const encodeEntry = ({ record: { value, ...place }, at, mayBeFrom }: Entry): Buffer => {
  const head = Buffer.from(JSON.stringify({ ...place, at, mayBeFrom }))
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32BE(head.length)
  return Buffer.concat([length, head, value])
}

export const decodeEntry = (bytes: Buffer): Entry => {
  const end = 4 + bytes.readUInt32BE(0)
  const { at, mayBeFrom, ...place } = JSON.parse(bytes.toString('utf8', 4, end)) as Omit<NewRecord, 'value'> & Omit<Entry, 'record'>
  return { record: { ...place, value: bytes.subarray(end) }, at, mayBeFrom }
}

/** A partition by name. */
export const placeOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string => `${topic}/${partition}`

/** By place, the offset behind the newest record: what is appended later is there or behind. */
export type Ends = ReadonlyMap<string, number>
