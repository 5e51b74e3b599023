import type { OwnScope } from '@millrace/service-kit'
import type { Fingerprint } from './fingerprints.ts'
import { FINGERPRINT_BYTES, fingerprintOf, Fingerprints, readFingerprint, writeFingerprint } from './fingerprints.ts'

/**
 * The messages of one partition within the horizon. A message belongs to the day of its receivedAt; whole days are
 * forgotten, so one is remembered for the horizon and up to a day more.
 *
 * On disk a day is a row of chunks `seen/<day>/<index>`, each full but the last; a batch rewrites the last one and
 * adds new ones behind it, so the state of a day does not depend on how the log was cut into batches.
 */
export interface Message {
  readonly project: number
  readonly key: string
  readonly messageId: string
  readonly receivedAt: number
  readonly horizonMs: number
}

export interface RepeatChanges {
  readonly puts: readonly (readonly [string, Uint8Array])[]
  readonly deletes: readonly string[]
}

export const DAY_MS = 86_400_000
/** 338 × 12 bytes and the store's own header fit one page of 4,096 bytes. */
export const CHUNK_IDS = 338
const PREFIX = 'seen/'
const SCAN_LIMIT = 1_000

interface Day {
  readonly known: Fingerprints
  /** Chunks that are full and written. */
  chunks: number
  /** Fingerprints behind the last full chunk. */
  readonly tail: Buffer
  tailIds: number
  changed: boolean
  /** Full chunks that are not written yet. */
  readonly full: Buffer[]
}

export class Repeats {
  private readonly days = new Map<number, Day>()
  private newestDay = 0
  private horizonDaysMax: number

  /**
   * `horizonMsMax`: the longest horizon of any project. It is told, not learned from messages: the first batch behind
   * a restart may have none, and must not forget days that others still ask for.
   */
  constructor(horizonMsMax: number) {
    this.horizonDaysMax = Math.ceil(horizonMsMax / DAY_MS)
  }

  /** Takes a message in, or answers true: it was there. */
  isRepeat({ project, key, messageId, receivedAt, horizonMs }: Message): boolean {
    const fingerprint = fingerprintOf(project, key, messageId)
    const today = Math.floor(receivedAt / DAY_MS)
    const horizonDays = Math.ceil(horizonMs / DAY_MS)
    this.horizonDaysMax = Math.max(this.horizonDaysMax, horizonDays)
    this.newestDay = Math.max(this.newestDay, today)
    const earliest = Math.floor((receivedAt - horizonMs) / DAY_MS)
    for (const [day, { known }] of this.days) {
      if (day >= earliest && day <= today + horizonDays && known.has(fingerprint)) return true
    }
    this.remember(this.dayOf(today), fingerprint)
    return false
  }

  /** What changed since the last call, to be written with the position of the batch. Forgets days past the horizon. */
  takeChanges(): RepeatChanges {
    const puts: (readonly [string, Uint8Array])[] = []
    const deletes: string[] = []
    for (const [number, day] of this.days) {
      if (number < this.newestDay - this.horizonDaysMax - 1) {
        this.days.delete(number)
        for (let index = 0; index <= day.chunks; index++) deletes.push(chunkKey(number, index))
      } else if (day.changed) puts.push(...writesOf(number, day))
    }
    return { puts, deletes }
  }

  /** Ids in memory and the bytes that they take there, for the bench and the metrics. */
  get usage(): { readonly ids: number; readonly bytes: number } {
    let [ids, bytes] = [0, 0]
    for (const { known } of this.days.values()) {
      ids += known.size
      bytes += known.bytes
    }
    return { ids, bytes }
  }

  /** Chunks must come in the order of their keys. */
  load(key: string, chunk: Uint8Array): void {
    const [, number = '', index = ''] = key.split('/')
    const day = this.dayOf(Number(number))
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    for (let at = 0; at < bytes.length; at += FINGERPRINT_BYTES) day.known.add(readFingerprint(bytes, at))
    this.newestDay = Math.max(this.newestDay, Number(number))
    if (bytes.length === CHUNK_IDS * FINGERPRINT_BYTES) day.chunks = Number(index) + 1
    else {
      bytes.copy(day.tail)
      day.tailIds = bytes.length / FINGERPRINT_BYTES
    }
  }

  private dayOf(number: number): Day {
    const known = this.days.get(number)
    if (known) return known
    const tail = Buffer.alloc(CHUNK_IDS * FINGERPRINT_BYTES)
    const day: Day = { known: new Fingerprints(), chunks: 0, tail, tailIds: 0, changed: false, full: [] }
    this.days.set(number, day)
    return day
  }

  private remember(day: Day, fingerprint: Fingerprint): void {
    day.known.add(fingerprint)
    writeFingerprint(day.tail, day.tailIds * FINGERPRINT_BYTES, fingerprint)
    day.changed = true
    if (++day.tailIds < CHUNK_IDS) return
    day.full.push(Buffer.from(day.tail))
    day.tailIds = 0
  }
}

/** @throws what the store throws */
export const loadRepeats = async (scope: Pick<OwnScope, 'scan'>, horizonMsMax: number): Promise<Repeats> => {
  const repeats = new Repeats(horizonMsMax)
  for (let after: string | undefined; ; ) {
    const entries = await scope.scan({ prefix: PREFIX, limit: SCAN_LIMIT, ...(after !== undefined && { after }) })
    for (const { key, document } of entries) repeats.load(key, document as Uint8Array)
    if (entries.length < SCAN_LIMIT) return repeats
    after = entries.at(-1)!.key
  }
}

const writesOf = (number: number, day: Day): readonly (readonly [string, Uint8Array])[] => {
  const writes = day.full.map((chunk, at) => [chunkKey(number, day.chunks + at), chunk] as const)
  day.chunks += day.full.length
  day.full.length = 0
  day.changed = false
  if (day.tailIds === 0) return writes
  return [...writes, [chunkKey(number, day.chunks), Uint8Array.from(day.tail.subarray(0, day.tailIds * FINGERPRINT_BYTES))]]
}

/** Padded, so that the store's order is the order of time. */
const chunkKey = (day: number, index: number): string =>
  `${PREFIX}${String(day).padStart(6, '0')}/${String(index).padStart(8, '0')}`
