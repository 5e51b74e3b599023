import { type Fields, fieldsOf } from './fields.ts'

const SERVER = /(^|[/-])(node|python|go|golang|java|ruby|php|net|dotnet|rust|http|import|server)($|[-./])/i
const MOBILE = /(ios|swift|android|kotlin|react-native|flutter|unity|mobile)/i
const WEB = /(analytics\.js|analytics-next|browser|web|javascript|\bjs\b)/i
const CHANNEL_LENGTH_MAX = 64

/**
 * By which way the event came: `context.channel`, else the medium of its campaign, else the `channel` that the SDK
 * says of itself, else `web`, `mobile` or `server` by the SDK's library, else empty.
 */
export const channelOf = (raw: Fields, context: Fields): string =>
  textOf(context['channel']) ||
  textOf(fieldsOf(context['campaign'])['medium']) ||
  textOf(raw['channel']) ||
  channelOfLibrary(textOf(fieldsOf(context['library'])['name']))

const channelOfLibrary = (library: string): string => {
  if (library === '') return ''
  if (MOBILE.test(library)) return 'mobile'
  if (WEB.test(library)) return 'web'
  return SERVER.test(library) ? 'server' : ''
}

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value.toWellFormed().trim().slice(0, CHANNEL_LENGTH_MAX) : ''
