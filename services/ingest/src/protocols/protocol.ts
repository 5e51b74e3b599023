import type { ErrorCode, Fields, IdentityCommand, Key, ProblemError, Project, ProtocolName } from '@millrace/contracts'
import type { RouteDocs } from '@millrace/service-kit'
import type { SentEvent } from '../domain/sent-event.ts'
import type { RejectedEvent } from '../domain/sort-events.ts'
import type { Wire } from '../domain/wire.ts'

/** One public tracking protocol: which requests are its own, what they hold, and how its SDKs want to be answered. */
export interface Protocol {
  readonly name: ProtocolName
  readonly paths: readonly Path[]
  /** Whether a request is its own, where other protocols use the same path too. By the bytes: headers lie. */
  recognise(wire: Wire): boolean
  /** The write key, wherever this protocol puts it; of several places the first whose key is known. @throws ProblemError when the body that holds it cannot be read */
  keyOf(wire: Wire): string | readonly string[] | undefined
  /** @throws ProblemError when the request as a whole cannot be read */
  decode(wire: Wire, asked: Asked): Sent
  /** What the SDK takes for "you have it". One refused event never fails its batch. */
  answer(wire: Wire, taken: Taken, asked: Asked): Answer
  /** The vendor's shape of a no; null: the house's problem. Whether and when an SDK comes again depends on the status. Where the body could not be read, it is empty or as it came. */
  refuse(problem: ProblemError, wire: Wire): Answer | null
  /** Whether a request only asks what would be wrong with it. */
  keepsNothing?(wire: Wire): boolean
  /** What its SDKs ask beside sending: settings, flags. */
  readonly extras?: readonly Extra[]
}

export interface Path {
  readonly method: 'GET' | 'POST'
  /** Without a slash at the end; both forms are taken. */
  readonly url: string
  readonly docs: RouteDocs
}

export interface Extra extends Path {
  answer(wire: Wire, asked: ExtraAsked): Answer | Promise<Answer>
}

/** For whom a request is decoded. */
export interface Asked {
  readonly project: Project
  readonly source: string
  /** The source is a trusted server: its word about addresses and past times counts. */
  readonly isServer: boolean
  readonly eventsMax: number
  readonly receivedAt: number
}

export interface ExtraAsked {
  /** Named parts of the path. */
  readonly params: Readonly<Record<string, string>>
  /** Where browsers reach ingest. */
  readonly address: { readonly host: string; readonly protocol: string }
  /** @throws ProblemError WRITE_KEY_MISSING, WRITE_KEY_UNKNOWN */
  checkKey(key: string | readonly string[] | undefined): Promise<void>
}

/** What a request says, before anything of it is checked. */
export interface Sent {
  /** By the sender's clock, for all events that do not tell it themselves. */
  readonly sentAt: number | null
  /** The same where only its event tells it. */
  readonly clockAt?: number | null
  /** Said once for all events of the request, in Segment's shape. */
  readonly context?: Fields | undefined
  readonly events: readonly SentEvent[]
  /** Keys that the request cuts from each other. */
  readonly unlinks?: readonly Unlink[]
}

export interface Unlink {
  readonly a: Key
  readonly b: Key
  readonly order: IdentityCommand['order']
}

export interface Taken {
  readonly accepted: number
  readonly rejected: readonly RejectedEvent[]
}

export interface Answer {
  readonly status: number
  /** `application/json` unless said. */
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

/** Codes that every path of collection can answer with. */
export const DOOR_CODES: readonly ErrorCode[] = [
  'WRITE_KEY_MISSING', 'WRITE_KEY_UNKNOWN', 'ORIGIN_NOT_ALLOWED', 'INVALID_UTF8', 'SOURCE_LIMIT', 'SOURCE_BUSY', 'TOO_MANY_REQUESTS', 'LOG_FULL', 'LOG_BUSY', 'LOG_CLOSED', 'STOPPING', 'REQUEST_TIMEOUT',
]

/** Codes of one event: where it is alone in its request, the answer has them. */
export const EVENT_CODES: readonly ErrorCode[] = [
  'NOT_AN_OBJECT', 'TYPE_UNKNOWN', 'EVENT_NAME_MISSING', 'EVENT_NAME_TOO_LONG', 'IDENTITY_MISSING', 'ID_INVALID', 'ID_TOO_LONG', 'PREVIOUS_ID_MISSING',
  'GROUP_ID_MISSING', 'TIMESTAMP_INVALID', 'TOO_OLD', 'TOO_NEW', 'EVENT_TOO_LARGE', 'EVENT_TOO_DEEP',
]
