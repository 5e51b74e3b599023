import { setTimeout as sleep } from 'node:timers/promises'

/** The HTTP door of a running Millrace. */
export interface Door {
  /** Like `http://127.0.0.1:8080`. */
  readonly url: string
  readonly writeKey: string
}

/** One event, as JSON; a sender may hang more on it, to know it again when it was refused. */
export interface Outgoing {
  readonly text: string
}

/** One event that the door refused; the others of its batch went on. */
interface RefusedEvent {
  /** Index within its batch. */
  readonly index: number
  readonly code: string
  readonly detail: string
}

export interface SendOptions<T extends Outgoing> {
  readonly inFlightMax: number
  /** Tries of one batch before the whole sending is given up. */
  readonly attemptsMax: number
  /** A batch is in, but for what was refused of it. */
  readonly sent: (batch: readonly T[], refused: readonly RefusedEvent[]) => void | Promise<void>
  readonly pause?: (ms: number) => Promise<unknown>
}

/** A batch could not be delivered: what was sent before it is in, and sending all again is safe. */
export class DoorFault extends Error {
  override readonly name = 'DoorFault'
}

/**
 * Sends all batches, a few at a time; reads the next one only when there is room for it, so a slow door slows its
 * source. Waits and tries again when the door is away or under pressure (429, 5xx). @throws DoorFault
 */
export const sendBatches = async <T extends Outgoing>(
  door: Door,
  batches: AsyncIterable<readonly T[]> | Iterable<readonly T[]>,
  options: SendOptions<T>,
): Promise<void> => {
  const inFlight = new Set<Promise<void>>()
  let fault: unknown
  try {
    for await (const batch of batches) {
      if (fault !== undefined) break
      const sending = sendOne(door, batch, options)
        .then((refused) => options.sent(batch, refused))
        .catch((error: unknown) => {
          fault ??= error
        })
        .finally(() => inFlight.delete(sending))
      inFlight.add(sending)
      if (inFlight.size >= options.inFlightMax) await Promise.race(inFlight)
    }
  } finally {
    await Promise.all(inFlight)
  }
  if (fault !== undefined) throw fault
}

const sendOne = async <T extends Outgoing>(door: Door, batch: readonly T[], options: SendOptions<T>): Promise<readonly RefusedEvent[]> => {
  const body = `{"batch":[${batch.map(({ text }) => text).join(',')}]}`
  const pause = options.pause ?? sleep
  for (let attempt = 1; ; attempt++) {
    const answer = await post(door, body)
    if (answer.kind === 'taken') return answer.refused
    if (answer.kind === 'refused') throw new DoorFault(answer.reason)
    if (attempt >= options.attemptsMax) throw new DoorFault(`${answer.reason}, ${attempt} times; what was sent before is in, and the same command may be run again`)
    await pause(answer.retryAfterMs ?? Math.min(10_000, 200 * 2 ** (attempt - 1)))
  }
}

type Answer =
  | { readonly kind: 'taken'; readonly refused: readonly RefusedEvent[] }
  | { readonly kind: 'later'; readonly reason: string; readonly retryAfterMs: number | null }
  | { readonly kind: 'refused'; readonly reason: string }

const REQUEST_MS_MAX = 30_000

const post = async (door: Door, body: string): Promise<Answer> => {
  const headers = { 'content-type': 'application/json', authorization: `Basic ${Buffer.from(`${door.writeKey}:`).toString('base64')}` }
  try {
    const response = await fetch(`${door.url}/v1/batch`, { method: 'POST', headers, body, signal: AbortSignal.timeout(REQUEST_MS_MAX) })
    const text = await response.text()
    if (response.ok) return { kind: 'taken', refused: refusedOf(text) }
    const reason = `${door.url} answered ${response.status}: ${text.slice(0, 300)}`
    if (response.status !== 429 && response.status < 500) return { kind: 'refused', reason }
    const seconds = Number(response.headers.get('retry-after'))
    return { kind: 'later', reason, retryAfterMs: seconds > 0 ? Math.min(seconds, 60) * 1000 : null }
  } catch (error) {
    return { kind: 'later', reason: `${door.url} does not answer (${causeOf(error)})`, retryAfterMs: null }
  }
}

const refusedOf = (text: string): readonly RefusedEvent[] => {
  try {
    const { rejected } = JSON.parse(text) as { rejected?: unknown }
    return Array.isArray(rejected) ? (rejected as readonly RefusedEvent[]) : []
  } catch {
    // A proxy in between may answer 200 with a text of its own.
    return []
  }
}

const causeOf = (error: unknown): string => {
  const { cause, message } = error as Error & { cause?: { code?: string } }
  return cause?.code ?? message
}
