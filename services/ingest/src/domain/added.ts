import { isFields } from '@millrace/contracts'
import type { SentEvent } from './sent-event.ts'
import { withField } from './sort-events.ts'

/** The event with fields that its sender could not know, at its end; what is no object stays as it is. */
export const withAdded = (event: SentEvent, fields: Readonly<Record<string, string>>): SentEvent => {
  const entries = Object.entries(fields)
  if (entries.length === 0 || !isFields(event.raw) || event.refusal) return event
  return entries.reduce((longer, [name, value]) => withField(longer, name, value), event)
}
