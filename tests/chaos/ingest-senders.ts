import { setTimeout as pause } from 'node:timers/promises'
import { chanceFrom } from '@millrace/contracts'

/** One request: events from `from` up to, not including, `to` of a device. */
export interface Request {
  readonly device: number
  readonly from: number
  readonly to: number
  /** How often it was sent: each may be in the log where an answer was lost. */
  attempts: number
  answered: boolean
}

export interface Senders {
  readonly requests: readonly Request[]
  /** How often a request was told to come again, and how often it got no answer. */
  readonly counts: { refused: number; unanswered: number }
  /** Events grow by so many bytes that do not compress, from now on. */
  padWith(bytes: number): void
  /** Resolves when what is under way has been answered: nothing new is sent. */
  stop(): Promise<void>
}

const ANSWER_MS_MAX = 20_000
const RETRY_MS = 150
const EVENTS_MAX = 5

/**
 * Devices that each send their numbered events one after the other, the next only behind the answer, and the same body
 * again where there is none or 429 or 503, as SDKs do.
 */
export const startSenders = (url: string, writeKey: string, { devices, seed, pauseMs }: { readonly devices: number; readonly seed: number; readonly pauseMs: number }): Senders => {
  const chance = chanceFrom(seed)
  const requests: Request[] = []
  const counts = { refused: 0, unanswered: 0 }
  const traffic = { padding: 0, over: false }
  const pad = (): string => Array.from({ length: Math.ceil(traffic.padding / 6) }, () => chance.below(2 ** 30).toString(36).padStart(6, '0')).join('')

  const send = async (request: Request): Promise<void> => {
    const batch = range(request.from, request.to).map((n) => ({
      type: 'track', event: 'Tick', messageId: messageId(request.device, n), anonymousId: `device-${request.device}`, properties: { n, ...(traffic.padding > 0 ? { pad: pad() } : {}) },
    }))
    const body = JSON.stringify({ writeKey, batch })
    while (!request.answered) {
      request.attempts++
      const status = await post(`${url}/v1/batch`, body)
      if (status === null) counts.unanswered++
      else if (status === 429 || status === 503) counts.refused++
      else if (status !== 200) throw new Error(`ingest answered ${status}`)
      else request.answered = true
      if (!request.answered) await pause(RETRY_MS)
    }
  }
  const device = async (number: number): Promise<void> => {
    for (let from = 0; !traffic.over; ) {
      const to = from + (number % 3 === 0 ? 1 + chance.below(EVENTS_MAX) : 1)
      const request: Request = { device: number, from, to, attempts: 0, answered: false }
      requests.push(request)
      await send(request)
      from = to
      await pause(pauseMs)
    }
  }
  const all = Promise.all(range(0, devices).map(device))
  return {
    requests, counts,
    padWith: (bytes) => { traffic.padding = bytes },
    stop: async () => {
      traffic.over = true
      await all
    },
  }
}

export const messageId = (device: number, n: number): string => `${device}-${n}`

export const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, index) => from + index)

/** Null: no answer. */
const post = (url: string, body: string): Promise<number | null> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: AbortSignal.timeout(ANSWER_MS_MAX) })
    .then(async (answer) => {
      await answer.arrayBuffer()
      return answer.status
    })
    .catch(() => null)
