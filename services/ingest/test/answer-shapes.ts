import { errors, type ProtocolName } from '@millrace/contracts'
import { protocols } from '../src/protocols/index.ts'

export interface Answered {
  readonly status: number
  readonly type: string
  readonly body: string
}

type Shape = (answer: Answered, json: Readonly<Record<string, unknown>>) => boolean

const has = (json: Readonly<Record<string, unknown>>, ...names: readonly string[]): boolean => names.every((name) => Object.hasOwn(json, name))
const isGif = ({ body }: Answered): boolean => body.startsWith('GIF8')
const isProblem: Shape = ({ status, type }, json) =>
  type.startsWith('application/problem+json') && json['status'] === status && typeof json['code'] === 'string' && Object.hasOwn(errors, json['code']) && has(json, 'title', 'detail', 'requestId')

const segment: Shape = (answer, json) => (answer.status === 200 ? has(json, 'success') || has(json, 'integrations') || has(json, 'source') : isProblem(answer, json))

/** What an SDK of each protocol can be answered: nothing else may leave a path of it. */
const SHAPES: Readonly<Record<ProtocolName, Shape>> = {
  segment,
  rudderstack: segment,
  jitsu: (answer, json) => (answer.status === 200 ? json['ok'] === true : isProblem(answer, json)),
  sensors: (answer) => (answer.status === 200 ? answer.body === '' || isGif(answer) : /^[A-Z_0-9]+: /.test(answer.body)),
  posthog: (answer, json) => has(json, 'type', 'code', 'detail', 'attr') || has(json, 'error', 'error_description') || has(json, 'results') || json['status'] === 'Ok' ||
    has(json, 'featureFlags') || has(json, 'flags') || has(json, 'supportedCompression') || answer.type.includes('javascript'),
  mixpanel: (answer, json) => ['0', '1'].includes(answer.body) || isGif(answer) || has(json, 'status') || has(json, 'code'),
  amplitude: (answer, json) => json['code'] === answer.status,
  ga4: (answer, json) => answer.status === 204 || has(json, 'validationMessages') || isProblem(answer, json),
  matomo: (answer, json) => isGif(answer) || answer.status === 204 || has(json, 'status'),
  umami: (answer, json) => (answer.status === 200 ? answer.body.startsWith('{') : has(json, 'error')),
  openpanel: (answer, json) => has(json, 'deviceId', 'sessionId') || has(json, 'status', 'error', 'message'),
  plausible: (answer, json) => answer.body === 'ok' || has(json, 'errors'),
  snowplow: (answer) => answer.body === 'ok' || isGif(answer) || (answer.status >= 400 && /^[A-Z_0-9]+: /.test(answer.body)),
  countly: ({ body }, json) => has(json, 'result') || body === '{}',
}

const PATHS: readonly { readonly name: ProtocolName; readonly method: string; readonly pattern: RegExp }[] = protocols.flatMap(({ name, paths, extras = [] }) =>
  [...paths, ...extras].map(({ method, url }) => ({ name, method, pattern: new RegExp(`^${url.replaceAll('.', '\\.').replaceAll(/:\w+|\*/g, '[^?]*')}/?$`) })))

/** Before any protocol is asked: an address that is none, or too long. */
const ROUTERS: ReadonlySet<number> = new Set([404, 405, 414])

/** Null, or what is wrong with an answer. */
export const shapeFault = (method: string, url: string, answer: Answered): string | null => {
  if (answer.status >= 500 && answer.status !== 503) return `status ${answer.status}`
  const json = jsonOf(answer)
  if (json === null) return 'no JSON under a type that says so'
  const path = url.split('?', 1)[0]!
  const users = PATHS.filter((known) => known.method === method && known.pattern.test(path)).map(({ name }) => name)
  if (ROUTERS.has(answer.status) && isProblem(answer, json)) return null
  if (users.length === 0) return isProblem(answer, json) ? null : 'a path of nobody, answered'
  return users.some((name) => SHAPES[name](answer, json)) ? null : `none of ${users.join(', ')}: ${answer.status} ${answer.body.slice(0, 100)}`
}

const jsonOf = ({ type, body }: Answered): Readonly<Record<string, unknown>> | null => {
  if (!type.includes('json') || body === '') return {}
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return null
  }
}
