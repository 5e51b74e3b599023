import { acceptEvent, type ErrorCode, type Fields, isFields, ProblemError, readLine } from '@millrace/contracts'
import type { Wire } from '../domain/wire.ts'

interface Message {
  readonly fieldPath: string
  readonly description: string
  readonly validationCode: 'VALUE_INVALID' | 'VALUE_REQUIRED' | 'NAME_INVALID' | 'NAME_RESERVED' | 'VALUE_OUT_OF_BOUNDS' | 'EXCEEDED_MAX_ENTITIES'
}

const message = (fieldPath: string, validationCode: Message['validationCode'], description: string): Message => ({ fieldPath, description, validationCode })

const EVENTS_MAX = 25
const PARAMS_MAX = 25
const NAME = /^[A-Za-z]\w{0,39}$/
/** Names that Google's own SDKs send by themselves. */
const RESERVED: ReadonlySet<string> = new Set([
  'ad_activeview', 'ad_click', 'ad_exposure', 'ad_query', 'ad_reward', 'adunit_exposure', 'app_clear_data', 'app_exception', 'app_install', 'app_remove',
  'app_store_refund', 'app_update', 'app_upgrade', 'dynamic_link_app_open', 'dynamic_link_app_update', 'dynamic_link_first_open', 'error', 'firebase_campaign',
  'first_open', 'first_visit', 'notification_dismiss', 'notification_foreground', 'notification_open', 'notification_receive', 'os_update', 'session_start',
  'user_engagement',
])

/** What Google's validation would find, and what would be refused here. Nothing of it is taken. */
export const validate = (wire: Wire, keyProblem: ProblemError | null): readonly Message[] => {
  const ofKey = keyProblem ? [message('measurement_id', keyProblem.code === 'WRITE_KEY_MISSING' ? 'VALUE_REQUIRED' : 'VALUE_INVALID', keyProblem.message)] : []
  try {
    const body = wire.json()
    return [...ofKey, ...(isFields(body) ? validateBody(body) : [message('', 'VALUE_INVALID', 'The body is not a JSON object.')])]
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    return [...ofKey, message('', 'VALUE_INVALID', error.message)]
  }
}

const validateBody = (body: Fields): readonly Message[] => {
  const { events } = body
  const messages: Message[] = []
  if (!body['client_id'] && !body['app_instance_id']) messages.push(message('client_id', 'VALUE_REQUIRED', 'An event needs a client_id, or an app_instance_id.'))
  if (!Array.isArray(events)) return [...messages, message('events', 'VALUE_REQUIRED', 'The body has no list named events.')]
  if (events.length > EVENTS_MAX) messages.push(message('events', 'EXCEEDED_MAX_ENTITIES', `The body has ${events.length} events, more than ${EVENTS_MAX}.`))
  return [...messages, ...events.slice(0, EVENTS_MAX).flatMap((event: unknown, index) => validateEvent(body, event, index))]
}

const validateEvent = (body: Fields, event: unknown, index: number): readonly Message[] => {
  const at = `Event at index: [${index}]`
  if (!isFields(event)) return [message('events', 'VALUE_INVALID', `${at} is not an object.`)]
  const { name, params } = event
  const messages: Message[] = []
  if (typeof name !== 'string' || !NAME.test(name)) {
    messages.push(message('events', 'NAME_INVALID', `${at} has an invalid name: a letter, then letters, digits and underscores, 40 at most.`))
  } else if (RESERVED.has(name)) messages.push(message('events', 'NAME_RESERVED', `${at} has the reserved name [${name}].`))
  const count = isFields(params) ? Object.keys(params).length : 0
  if (count > PARAMS_MAX) messages.push(message('events.params', 'EXCEEDED_MAX_ENTITIES', `${at} has ${count} params, more than ${PARAMS_MAX}.`))
  return [...messages, ...refusalOf(body, event, at)]
}

/** Times are looked at without a clock: only what no clock would make right is told. */
const refusalOf = (body: Fields, event: Fields, at: string): readonly Message[] => {
  const refused = acceptEvent(readLine('ga4', { ...body, events: [event] }), { receivedAt: Number.MAX_SAFE_INTEGER, sentAt: null })
  if (refused.ok || TOLD_ALREADY.has(refused.code)) return []
  return [message('events', refused.code === 'TOO_OLD' ? 'VALUE_OUT_OF_BOUNDS' : 'VALUE_INVALID', `${at}: ${refused.detail}`)]
}

const TOLD_ALREADY: ReadonlySet<ErrorCode> = new Set(['EVENT_NAME_MISSING', 'EVENT_NAME_TOO_LONG', 'IDENTITY_MISSING'])
