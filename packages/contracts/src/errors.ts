/** What a code means: its HTTP status, its short title, and one sentence for the person who meets it. */
export interface ErrorEntry {
  readonly status: number
  readonly title: string
  readonly meaning: string
}

const entry = (status: number, title: string, meaning: string): ErrorEntry => ({ status, title, meaning })

/**
 * Every code that Millrace answers with or keeps with a refused event. A code never changes its meaning;
 * the README's table is held equal to this one by a test.
 */
export const errors = {
  // Of one event: kept with its bytes in events.rejected; the rest of its batch goes on.
  NOT_AN_OBJECT: entry(400, 'Not an object', 'The event is not a JSON object.'),
  NOT_JSON: entry(400, 'Not JSON', 'The body or the line cannot be read as JSON.'),
  INVALID_UTF8: entry(400, 'Not UTF-8', 'The bytes of the event are not UTF-8 text.'),
  TYPE_UNKNOWN: entry(400, 'Unknown type', 'type is none of track, page, screen, identify, group, alias.'),
  EVENT_NAME_MISSING: entry(400, 'Event name missing', 'A track event needs a name in event.'),
  EVENT_NAME_TOO_LONG: entry(400, 'Event name too long', 'The name of an event has at most 256 characters.'),
  IDENTITY_MISSING: entry(400, 'Identity missing', 'The event has neither userId nor anonymousId.'),
  ID_INVALID: entry(400, 'Invalid id', 'An id is a text or a whole number that JSON carries exactly.'),
  ID_TOO_LONG: entry(400, 'Id too long', 'An id has at most 256 characters.'),
  PREVIOUS_ID_MISSING: entry(400, 'Previous id missing', 'An alias needs previousId.'),
  GROUP_ID_MISSING: entry(400, 'Group id missing', 'A group event needs groupId.'),
  TIMESTAMP_INVALID: entry(400, 'Invalid timestamp', 'timestamp is neither ISO 8601 nor a number of seconds, ms or µs.'),
  TOO_OLD: entry(400, 'Too old', 'The event happened before the year 2000.'),
  TOO_NEW: entry(400, 'Too new', 'The event lies more than one hour ahead of its receipt.'),
  EVENT_TOO_LARGE: entry(413, 'Event too large', 'One event has more bytes than EVENT_BYTES_MAX.'),
  WRITE_KEY_MIXED: entry(400, 'Another write key', 'The event names another write key than its request.'),
  EVENT_TOO_DEEP: entry(400, 'Event nested too deeply', 'Objects and lists are nested more than 64 deep.'),
  TIME_NOT_TRUSTED: entry(400, 'Time not trusted', 'A time more than a day back is taken from a sender that proves itself only.'),

  // Of a request.
  BAD_REQUEST: entry(400, 'Bad request', 'The request does not have the documented shape.'),
  BATCH_MISSING: entry(400, 'Batch missing', 'The body has no list named batch.'),
  BATCH_TOO_LONG: entry(413, 'Batch too long', 'The batch has more events than BATCH_EVENTS_MAX.'),
  BODY_UNREADABLE: entry(400, 'Body unreadable', 'The body is cut short, or its compression is broken.'),
  BODY_TOO_LARGE: entry(413, 'Body too large', 'The body, or what it unpacks to, is over its bound.'),
  MEDIA_TYPE_UNSUPPORTED: entry(415, 'Unsupported media type', 'The body is not of a type that this path reads.'),
  URI_TOO_LONG: entry(414, 'Address too long', 'The address of the request is over its bound.'),
  WRITE_KEY_MISSING: entry(401, 'Write key missing', 'The request names no write key where its protocol has it: as Basic user or as writeKey in the body for SDKs of Segment.'),
  WRITE_KEY_UNKNOWN: entry(401, 'Write key unknown', 'No project has this write key.'),
  API_KEY_MISSING: entry(401, 'API key missing', 'Send Authorization: Bearer <API key>, or sign in on the page.'),
  API_KEY_UNKNOWN: entry(401, 'API key unknown', 'No project has this API key.'),
  SIGN_IN_LINK_INVALID: entry(401, 'Sign-in link not valid', 'The link was used or is too old; start Millrace again for a new one.'),
  ROLE_INSUFFICIENT: entry(403, 'Role not sufficient', 'The key has a role that may not do this.'),
  HOST_NOT_ALLOWED: entry(403, 'Host not allowed', 'The Host of the request is not one that Millrace serves.'),
  ORIGIN_NOT_ALLOWED: entry(403, 'Origin not allowed', 'A page of this origin may not call the API, or not send with this key.'),
  NOT_FOUND: entry(404, 'Not found', 'Nothing is at this address.'),
  METHOD_NOT_ALLOWED: entry(405, 'Method not allowed', 'The address exists, but not for this method.'),
  REQUEST_TIMEOUT: entry(408, 'Request took too long', 'The request did not arrive within its time.'),
  CONFLICT: entry(409, 'Conflict', 'What was asked contradicts the present state.'),
  UNPROCESSABLE: entry(422, 'Not possible', 'The request is well formed but cannot be done.'),
  SOURCE_LIMIT: entry(429, 'Too many events of this source', 'The source sends more events a second than its limit; nothing of the request was taken, try again after Retry-After.'),
  TOO_MANY_REQUESTS: entry(429, 'Too many requests', 'More work is waiting than the bound allows; try again after Retry-After.'),

  // Of what is asked for.
  PERSON_NOT_FOUND: entry(404, 'No such person', 'No person has this id or key.'),
  PROJECT_NOT_FOUND: entry(404, 'No such project', 'No project has this id.'),
  SOURCE_NOT_FOUND: entry(404, 'No such source', 'The project has no source of this name.'),
  SOURCE_EXISTS: entry(409, 'Source exists', 'The project has a source of this name already.'),
  SOURCE_BOUND: entry(422, 'Too many sources', 'The project has as many sources as its bound allows.'),
  KEY_NOT_FOUND: entry(404, 'No such key', 'The source has no write key of this id.'),
  KEY_BOUND: entry(422, 'Too many keys', 'The source has as many working write keys as its bound allows; revoke one.'),
  SEGMENT_NOT_FOUND: entry(404, 'No such segment', 'No segment has this id.'),
  SEGMENT_BOUND: entry(422, 'Too many segments', 'The project has as many segments as its bound allows.'),
  RULE_INVALID: entry(400, 'Invalid rule', 'The rule does not have the documented shape.'),
  LEAF_NOT_AVAILABLE: entry(422, 'Leaf not available', 'The rule asks for something that this version does not compute.'),
  QUESTION_INVALID: entry(400, 'Invalid question', 'The question does not have the documented shape.'),
  KEY_INVALID: entry(400, 'Invalid key', 'A key needs a type that the project knows and a value that is not blocked.'),

  // Of the system: nothing was taken; the same request may be sent again.
  LOG_FULL: entry(503, 'Log full', 'The disk or the bound of the log is reached; nothing of the request was taken.'),
  SOURCE_BUSY: entry(503, 'Source busy', 'The source sends more events a second than its limit; nothing of the request was taken, try again after Retry-After.'),
  LOG_BUSY: entry(503, 'Log busy', 'The log cannot keep up; nothing of the request was taken.'),
  LOG_CLOSED: entry(503, 'Log closed', 'Millrace is stopping or the log is not reachable.'),
  STOPPING: entry(503, 'Stopping', 'This copy is stopping and takes nothing new.'),
  NOT_READY: entry(503, 'Not ready', 'A part that this request needs is not ready yet.'),
  QUERY_TOO_LARGE: entry(422, 'Query too large', 'The answer is over its bound in rows, bytes or memory.'),
  QUERY_TIMEOUT: entry(504, 'Query took too long', 'The query did not end within its time.'),
  STORE_UNAVAILABLE: entry(503, 'Store unavailable', 'The column store does not answer.'),
  RECORD_UNREADABLE: entry(500, 'Record unreadable', 'A record of the log is not of a version that this build reads.'),
  INTERNAL: entry(500, 'Internal error', 'A fault of Millrace; the log entry with the same request id tells more.'),
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof errors

/** An expected outcome that is a no: a value, never thrown inside pure code. */
export interface Refusal {
  readonly ok: false
  readonly code: ErrorCode
  readonly detail: string
}

export const refuse = (code: ErrorCode, detail: string = errors[code].meaning): Refusal => ({ ok: false, code, detail })

export const isRefusal = (value: object): value is Refusal => 'ok' in value && value.ok === false

/** For the one place that turns an expected outcome into an answer of HTTP. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly code: ErrorCode
  readonly status: number
  /** Seconds for the Retry-After header. */
  readonly retryAfterSeconds: number | undefined
  /** Where in the input the fault lies, when there is more to say than one sentence. */
  readonly faults: readonly unknown[] | undefined
  constructor(code: ErrorCode, detail: string = errors[code].meaning, more: { retryAfterSeconds?: number; faults?: readonly unknown[] } = {}) {
    super(detail)
    this.code = code
    this.status = errors[code].status
    this.retryAfterSeconds = more.retryAfterSeconds
    this.faults = more.faults
  }
}
