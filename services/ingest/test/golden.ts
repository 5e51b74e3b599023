import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CanonicalEvent, decodeEvent, isRefusal, originAt, type Project, type TraitOps } from '@millrace/contracts'
import { acceptedOf, type MemoryLog, rejectedOf } from './memory-log.ts'

/** One request as a real SDK sent it, and what it was answered. */
export interface Exchange {
  /** When it came, ms. */
  readonly at: number
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Text where it is text, else base64. */
  readonly body: { readonly text: string } | { readonly base64: string }
  readonly status: number
  readonly answer: string
}

/** What one run of an unchanged SDK sent, and what is stored of it. Made by `npm run sdks` with `MILLRACE_RECORD=1`, replayed by `npm test`. */
export interface Golden {
  readonly protocol: string
  readonly sdk: string
  readonly version: string
  readonly runtime: string
  /** What the program told the SDK, in words. */
  readonly sent: string
  readonly exchanges: readonly Exchange[]
  readonly stored: readonly StoredEvent[]
  /** Code of each refused event. */
  readonly rejected: readonly string[]
}

/** Where each recording is a file. */
export const GOLDEN_FOLDER = join(import.meta.dirname, 'golden')

export const readGoldens = (): readonly Golden[] => readdirSync(GOLDEN_FOLDER).map((name) => JSON.parse(readFileSync(join(GOLDEN_FOLDER, name), 'utf8')) as Golden)

/** Its body as it came. */
export const bodyOf = ({ body }: Exchange): Buffer => ('text' in body ? Buffer.from(body.text) : Buffer.from(body.base64, 'base64'))

/** A canonical event without what differs from run to run. Operations on traits are only told where there are any. */
export type StoredEvent = Omit<CanonicalEvent, 'project' | 'receivedAt' | 'source' | 'traitOps'> & { readonly traitOps?: TraitOps }

/** What is in the log, in an order that does not depend on partitions. Message ids that ingest gave are told as such. */
export const storedIn = (log: MemoryLog, project: Project, givenIds: ReadonlySet<string>): Pick<Golden, 'stored' | 'rejected'> => {
  const events = acceptedOf(log).filter(({ header }) => header.kind === 'events')
  const stored = events.map(({ line, header, index }) => {
    const event = decodeEvent(originAt(header, index)!, project, JSON.parse(line.toString()))
    if (isRefusal(event)) throw new Error(`a line of the log cannot be decoded: ${event.code}`)
    const { project: _, receivedAt, source: __, messageId, timestamp, traitOps, ...rest } = event
    // Without a time of its own an event has that of its receipt.
    return { messageId: givenIds.has(messageId) ? '(given)' : messageId, timestamp: timestamp === receivedAt && rest.originalTimestamp === null ? 0 : timestamp, ...rest, ...(traitOps ? { traitOps } : {}) }
  })
  const text = (event: unknown): string => JSON.stringify(event)
  return { stored: stored.sort((a, b) => (text(a) < text(b) ? -1 : 1)), rejected: rejectedOf(log).map(({ code }) => code).sort() }
}
