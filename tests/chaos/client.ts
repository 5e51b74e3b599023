import type { Millrace } from '../support/millrace.ts'
import type { PlannedBatch, PlannedCommand } from './plan.ts'

/** An SDK-like client: one thing at a time, asked again until it is taken. */
export interface Client {
  /** Segment, command and events of a batch, in this order. */
  send(batch: PlannedBatch): Promise<void>
  /** Message ids that were answered with 2xx. */
  readonly acknowledged: ReadonlySet<string>
  /** How often something was asked again. */
  readonly counts: { refusals: number }
}

const ANSWER_TIMEOUT_MS = 20_000

/** @param alive the instance to ask, once it can be asked */
export const createClient = (alive: () => Promise<Millrace>, retryMs: number): Client => {
  const acknowledged = new Set<string>()
  const counts = { refusals: 0 }
  const until = async (attempt: (millrace: Millrace) => Promise<boolean>): Promise<void> => {
    for (;;) {
      const done = await attempt(await alive()).catch(() => false)
      if (done) return
      counts.refusals++
      await new Promise((resolve) => setTimeout(resolve, retryMs))
    }
  }
  return {
    acknowledged,
    counts,
    async send({ events, segment, command }) {
      if (segment) await until((millrace) => ensureSegment(millrace, segment))
      if (command) await until((millrace) => ask(millrace, command))
      await until(async (millrace) => (await post(millrace, events)).ok)
      events.forEach(({ messageId }) => acknowledged.add(messageId))
    },
  }
}

const post = async (millrace: Millrace, events: PlannedBatch['events']): Promise<Response> => {
  const answer = await fetch(`${millrace.url}/v1/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ writeKey: millrace.writeKey, batch: events }),
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  })
  await answer.arrayBuffer()
  return answer
}

/** A command that was taken although its answer was lost is given twice: that must change nothing. */
const ask = async (millrace: Millrace, command: PlannedCommand): Promise<boolean> => {
  await millrace.api('/api/identity/commands', command)
  return true
}

/** Creating is not idempotent: after a doubtful answer it looks whether the segment is there. */
const ensureSegment = async (millrace: Millrace, segment: { readonly name: string; readonly rule: unknown }): Promise<boolean> => {
  const { segments } = await millrace.api<{ segments: { name: string }[] }>('/api/segments')
  if (segments.some(({ name }) => name === segment.name)) return true
  await millrace.api('/api/segments', segment)
  return true
}
