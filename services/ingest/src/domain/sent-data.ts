import type { SentEvent } from './sent-event.ts'
import { rewritten, sentEvents } from './sort-events.ts'
import { sliceOfBody, splitBody } from './split-batch.ts'
import { isPlainJson, type Wire } from './wire.ts'

/** What `wire.data()` holds, one event or a list of them; with their own bytes where the body is JSON itself. */
export const sentData = (wire: Wire): readonly SentEvent[] => {
  const data = wire.data()
  const isPlain = isPlainJson(wire.body)
  if (Array.isArray(data)) return sentEvents(data as readonly unknown[], wire.body, isPlain ? splitBody(wire.body) : null)
  return [isPlain ? { raw: data, bytes: wire.body, ...sliceOfBody(wire.body), scanned: false } : rewritten(data)]
}
