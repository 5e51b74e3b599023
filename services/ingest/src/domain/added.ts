import { isFields } from '@millrace/contracts'
import { rewritten, type SentEvent, withField } from './sort-events.ts'

/** The event with fields that its sender could not know, at its end; what is no object stays as it is. */
export const withAdded = (event: SentEvent, fields: Readonly<Record<string, string>>): SentEvent => {
  const entries = Object.entries(fields)
  if (entries.length === 0 || !isFields(event.raw) || event.refusal) return event
  // A field at the end needs one before it.
  if (Object.keys(event.raw).length === 0) return rewritten(fields)
  return entries.reduce((longer, [name, value]) => withField(longer, name, value), event)
}
