import { type Fields, isFields } from '../fields.ts'
import type { ProtocolReader } from './read-line.ts'

/** The shape is Segment's; only the SDK's word for "no referrer" must not look like one. */
export const readRudderstack: ProtocolReader = (raw) => {
  const { properties, context } = raw
  return {
    ...raw,
    ...(isFields(properties) ? { properties: withoutDirect(properties) } : {}),
    ...(isFields(context) && isFields(context['page']) ? { context: { ...context, page: withoutDirect(context['page']) } } : {}),
  }
}

const DIRECT = '$direct'

const withoutDirect = (page: Fields): Fields => {
  if (page['referrer'] !== DIRECT && page['initial_referrer'] !== DIRECT) return page
  return Object.fromEntries(Object.entries(page).filter(([name, value]) => value !== DIRECT || (name !== 'referrer' && name !== 'initial_referrer')))
}
