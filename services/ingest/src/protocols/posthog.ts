import { type Fields, fieldsOf, isFields, parseTime, POSTHOG_COOKIELESS, ProblemError, refuse, textOf } from '@millrace/contracts'
import { withAdded } from '../domain/added.ts'
import { sentData } from '../domain/sent-data.ts'
import type { SentEvent } from '../domain/sent-event.ts'
import { sentEvents } from '../domain/sort-events.ts'
import { splitBatch } from '../domain/split-batch.ts'
import { visitorOf } from '../domain/visitor-id.ts'
import { isPlainJson, type Wire } from '../domain/wire.ts'
import { posthogConfig, posthogConfigScript, posthogFlags } from './posthog-config.ts'
import { CAPTURE, CAPTURE_GET, CONFIG, CONFIG_SCRIPT, EVENTS_V1, FLAGS } from './posthog-docs.ts'
import type { Answer, Asked, ExtraAsked, Path, Protocol, Sent, Taken } from './protocol.ts'

const V1 = '/i/v1/analytics/events'
const CAPTURE_PATHS = ['/e', '/i/v0/e', '/capture']

const paths: readonly Path[] = [
  ...CAPTURE_PATHS.map((url) => ({ method: 'POST', url, docs: CAPTURE }) as const),
  ...CAPTURE_PATHS.map((url) => ({ method: 'GET', url, docs: CAPTURE_GET }) as const),
  { method: 'POST', url: '/batch', docs: CAPTURE },
  // Its SDKs for servers send what they watch of language models to a path of its own.
  { method: 'POST', url: '/i/v0/ai/batch', docs: CAPTURE },
  { method: 'POST', url: V1, docs: EVENTS_V1 },
]

/** PostHog's capture, as its SDKs for browsers, Node and Python use it. */
export const posthog: Protocol = {
  name: 'posthog',
  paths,
  recognise: (wire) => !isPlainJson(wire.body) || !Array.isArray(fieldsOf(wire.json())['events']),
  keyOf: (wire) => bearerOf(wire) ?? keyIn(wire.data()),
  decode: (wire, asked) => {
    const data = wire.data()
    const events = eventsOf(data, wire)
    if (events.length > asked.eventsMax) throw new ProblemError('BATCH_TOO_LONG', `the batch has ${events.length} events`)
    return {
      sentAt: sentAtOf(data, wire),
      ...contextOf(wire),
      events: checkKeys(data, events).map((event) => completed(event, wire, asked)),
    }
  },
  answer: (wire, taken) => (wire.path === V1 ? answerEach(wire, taken) : answerAll(wire, taken)),
  refuse: (problem, wire) => ({
    status: problem.status,
    body: JSON.stringify(wire.path === V1
      ? { error: problem.code, error_description: problem.message }
      : { type: TYPE_OF_FAULT[problem.status] ?? (problem.status < 500 ? 'validation_error' : 'server_error'), code: problem.code, detail: problem.message, attr: null }),
  }),
  extras: [
    ...['/flags', '/decide'].map((url) => ({
      method: 'POST', url, docs: FLAGS,
      answer: async (wire: Wire, { checkKey }: ExtraAsked): Promise<Answer> => {
        await checkKey(keyIn(wire.data()))
        return { status: 200, body: JSON.stringify(posthogFlags(wire.requestId)) }
      },
    }) as const),
    {
      method: 'GET', url: '/array/:key/config', docs: CONFIG,
      answer: async (_wire, { params, checkKey }) => {
        await checkKey(params['key'])
        return { status: 200, body: JSON.stringify(posthogConfig(params['key'] ?? '')) }
      },
    },
    {
      method: 'GET', url: '/array/:key/config.js', docs: CONFIG_SCRIPT,
      answer: async (_wire, { params, checkKey }) => {
        await checkKey(params['key'])
        return { status: 200, type: 'application/javascript', body: posthogConfigScript(params['key'] ?? '') }
      },
    },
  ],
}

const TYPE_OF_FAULT: Readonly<Record<number, string>> = { 401: 'authentication_error', 429: 'throttled_error' }

/** Version 1 has its key in a header. */
const bearerOf = ({ path, headers }: Wire): string | undefined =>
  path === V1 ? /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1] : undefined

const keyIn = (data: unknown): string | undefined => (Array.isArray(data) ? keyOfEvent((data as readonly unknown[])[0]) : keyOfEvent(data))

const keyOfEvent = (event: unknown): string | undefined => {
  const { api_key, token, properties } = fieldsOf(event)
  return [api_key, token, fieldsOf(properties)['token']].find((key): key is string => typeof key === 'string' && key !== '')
}

/** One event, a list of events, or `batch` in an object. */
const eventsOf = (data: unknown, wire: Wire): readonly SentEvent[] => {
  const { batch } = fieldsOf(data)
  if (Array.isArray(batch)) return sentEvents(batch as readonly unknown[], wire.body, isPlainJson(wire.body) ? splitBatch(wire.body) : null)
  if (!Array.isArray(data) && !Object.hasOwn(fieldsOf(data), 'event')) throw new ProblemError('BATCH_MISSING')
  return sentData(wire)
}

/** A list has no key of its own: each event names one, and all the same. */
const checkKeys = (data: unknown, events: readonly SentEvent[]): readonly SentEvent[] => {
  if (!Array.isArray(data)) return events
  const key = keyIn(data)
  return events.map((event) => ((keyOfEvent(event.raw) ?? key) === key ? event : { ...event, refusal: refuse('WRITE_KEY_MIXED') }))
}

/** What the event says by the moment of its request, or by where it came from. */
const completed = (event: SentEvent, wire: Wire, { project, receivedAt }: Asked): SentEvent => {
  const raw = fieldsOf(event.raw)
  const offset = raw['offset']
  const added: Record<string, string> = {}
  if (typeof offset === 'number' && Math.abs(offset) < OFFSET_MS_MAX && !raw['timestamp']) added['timestamp'] = new Date(receivedAt - offset).toISOString()
  if ((raw['distinct_id'] ?? fieldsOf(raw['properties'])['distinct_id']) === POSTHOG_COOKIELESS) {
    const host = fieldsOf(raw['properties'])['$host']
    added['anonymousId'] = visitorOf(wire, project, 'day', receivedAt, textOf(host) ?? '')
  }
  return withAdded(event, added)
}

const OFFSET_MS_MAX = 1e11

const sentAtOf = (data: unknown, wire: Wire): Sent['sentAt'] =>
  wire.path === V1 ? parseTime(wire.headers['posthog-request-timestamp']) : parseTime(fieldsOf(data)['sent_at']) ?? parseTime(wire.query['_'])

const SDK_INFO = /^([\w.-]{1,64})\/([\w.+-]{1,64})$/

/** Version 1 names its SDK in a header. */
const contextOf = ({ path, headers }: Wire): Pick<Sent, 'context'> => {
  const [, name, version] = path === V1 ? SDK_INFO.exec(String(headers['posthog-sdk-info'])) ?? [] : []
  return name === undefined ? {} : { context: { library: { name, version } } }
}

const answerAll = (wire: Wire, { rejected }: Taken): Answer => {
  const [refused] = isFields(wire.data()) && !Object.hasOwn(fieldsOf(wire.data()), 'batch') ? rejected : []
  if (!refused) return { status: 200, body: '{"status":"Ok"}' }
  return posthog.refuse(new ProblemError(refused.refusal.code, refused.refusal.detail), wire)!
}

/** Version 1 is told of each event by its uuid; one that is refused is not to be sent again. */
const answerEach = (wire: Wire, { rejected }: Taken): Answer => {
  const { batch } = fieldsOf(wire.data()) as { readonly batch?: readonly Fields[] }
  const refusals = new Map(rejected.map(({ index, refusal }) => [index, refusal]))
  const results = (batch ?? []).map((event, index) => {
    const refusal = refusals.get(index)
    return [textOf(fieldsOf(event)['uuid']) ?? `#${index}`, refusal ? { result: 'drop', details: refusal.code } : { result: 'ok' }] as const
  })
  return { status: 200, body: JSON.stringify({ results: Object.fromEntries(results) }) }
}
