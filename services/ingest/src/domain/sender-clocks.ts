import { clockSkew, type Fields, fieldsOf, type Millis, parseTime, readLine, SKEW_FROM_MS } from '@millrace/contracts'

/** One request, as far as its sender's clock is told by it. */
interface Sending {
  /** Who holds the clock: a device, or a server by its address. */
  readonly sender: string
  /** By the sender's clock; of a body that is sent again after a wait, some SDKs leave the time of the first try. */
  readonly sentAt: Millis
  readonly receivedAt: Millis
  /** When its events happened by the sender's clock; only asked for where there is something to correct. */
  times(): readonly Millis[]
}

export interface SenderClocks {
  /** How far the sender's clock is behind ours: to be added to the times of all events of the request. 0 where it is right. */
  skewOf(sending: Sending): Millis
}

interface Known {
  /** The least `receivedAt − sentAt` of this span of time and of the one before. */
  least: Millis
  leastBefore: Millis
  span: number
  /** The last event that was corrected, by the sender's clock and by ours. */
  original: Millis
  corrected: Millis
}

const SPAN_MS = 30 * 60_000

/**
 * A body is never received before it was sent, so `receivedAt − sentAt` is the clock's error plus a wait, and the least of many is the
 * error (the filter of NTP's clock selection, RFC 5905 §10). A body that waited, and whose `sentAt` says so wrongly, is told by earlier
 * requests of its sender with less. What the first request of an unknown sender says is believed.
 * Corrections never turn two events of one sender round, whatever is learnt between them.
 */
export const createSenderClocks = (sendersMax: number): SenderClocks => {
  const senders = new Map<string, Known>()

  /** The sender's entry, now the youngest; beyond the bound the one that was silent longest is forgotten. */
  const entryOf = (sender: string, span: number): Known => {
    const known = senders.get(sender)
    if (known) senders.delete(sender)
    else if (senders.size >= sendersMax) senders.delete(senders.keys().next().value!)
    const entry = known ?? { least: Infinity, leastBefore: Infinity, span, original: -Infinity, corrected: -Infinity }
    senders.set(sender, entry)
    return entry
  }

  return {
    skewOf: ({ sender, sentAt, receivedAt, times }) => {
      const offset = receivedAt - sentAt
      const entry = entryOf(sender, Math.floor(receivedAt / SPAN_MS))
      include(entry, offset, Math.floor(receivedAt / SPAN_MS))
      const skew = estimate(entry, offset, clockSkew(sentAt, receivedAt))
      if (skew === 0 && entry.corrected === -Infinity) return 0
      return inOrder(entry, skew, times())
    },
  }
}

const include = (entry: Known, offset: Millis, span: number): void => {
  if (span !== entry.span) {
    entry.leastBefore = span === entry.span + 1 ? entry.least : Infinity
    entry.least = Infinity
    entry.span = span
  }
  entry.least = Math.min(entry.least, offset)
}

/** A clock that is ahead cannot be a wait; one that is behind may be. */
const estimate = (entry: Known, offset: Millis, skew: Millis): Millis => {
  if (skew <= 0) return skew
  const least = Math.min(entry.least, entry.leastBefore, offset)
  return least < SKEW_FROM_MS ? 0 : least
}

/** The skew, raised where an event behind the last corrected one would come before it. */
const inOrder = (entry: Known, skew: Millis, times: readonly Millis[]): Millis => {
  const later = times.filter((time) => time >= entry.original)
  if (later.length === 0) return skew
  const kept = Math.max(skew, entry.corrected - Math.min(...later))
  const last = Math.max(...later)
  entry.original = last
  entry.corrected = last + kept
  return kept
}

const ID_FIELDS = ['anonymousId', 'anonymous_id', 'distinct_id', 'device_id', 'duid', 'userId', 'user_id', 'uid', '_id'] as const
/** SDKs of pages that name their device among the properties. */
const ID_PROPERTIES = ['$device_id', 'distinct_id'] as const

/** The id of the device in whatever field its protocol has it, else empty. */
export const deviceIn = (raw: unknown): string => firstText(fieldsOf(raw), ID_FIELDS) || firstText(fieldsOf(fieldsOf(raw)['properties']), ID_PROPERTIES)

const firstText = (fields: Fields, names: readonly string[]): string => {
  for (const name of names) if (typeof fields[name] === 'string' && fields[name] !== '') return fields[name]
  return ''
}

/** When events happened, by the clock of their sender. */
export const timesOf = (protocol: string, raws: readonly unknown[]): readonly Millis[] =>
  raws.flatMap((raw) => {
    const fields = fieldsOf(readLine(protocol, raw))
    return parseTime(fields['timestamp']) ?? parseTime(fields['originalTimestamp']) ?? []
  })
