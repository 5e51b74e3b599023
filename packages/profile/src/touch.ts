import type { CanonicalEvent } from '@millrace/contracts'
import { bounds, clip, later, type ChannelAt, type ProfileState, type Touch } from './state.ts'

/** What SDKs write where there is no campaign and no referrer. */
const PLACEHOLDERS = new Set(['', 'null', 'undefined', 'empty', '$direct', '(direct)', '(none)', '(not set)', 'url的domain解析失败'])
const isPlaceholder = (text: string): boolean => PLACEHOLDERS.has(text.toLowerCase()) || text.startsWith('未取到值')

/** Takes part in first and last touch when the event says where the person came from. */
export const includeTouch = (state: ProfileState, event: CanonicalEvent): void => {
  includeChannel(state, event)
  const touch = touchOf(state, event)
  if (touch === null) return
  state.firstTouch = earlierTouch(state.firstTouch, touch)
  state.lastTouch = laterTouch(state.lastTouch, touch)
}

const includeChannel = (state: ProfileState, event: CanonicalEvent): void => {
  if (event.channel === '') return
  const channel: ChannelAt = [event.timestamp, event.messageId, clip(state, 'channels', event.channel)]
  state.firstChannel = earlierChannel(state.firstChannel, channel)
  state.lastChannel = laterChannel(state.lastChannel, channel)
}

const touchOf = (state: ProfileState, event: CanonicalEvent): Touch | null => {
  const campaign = recordOf(event.context['campaign'])
  const part = (name: string): string => clip(state, 'touch', meaningful(campaign[name]))
  const referrer = clip(state, 'touch', referrerOf(event), bounds.referrerChars)
  const [source, medium, name] = [part('source'), part('medium'), part('name')]
  const [term, content] = [part('term'), part('content')]
  if (!(source || medium || name || term || content || referrer)) return null
  const { timestamp: time, messageId, channel } = event
  return { time, messageId, event: event.event, channel: channel.slice(0, bounds.textChars), source, medium, name, term, content, referrer }
}

/** A page of the same site is no referrer: it is the page that was open before. */
const referrerOf = (event: CanonicalEvent): string => {
  const page = recordOf(event.context['page'])
  const referrer =
    meaningful(page['referrer']) || meaningful(event.properties['referrer']) || meaningful(recordOf(event.context['referrer'])['url'])
  if (referrer === '') return ''
  const url = meaningful(page['url']) || meaningful(event.properties['url'])
  return url !== '' && hostOf(url) === hostOf(referrer) ? '' : referrer
}

const meaningful = (value: unknown): string => {
  if (typeof value !== 'string') return ''
  const text = value.trim()
  return isPlaceholder(text) ? '' : text
}

const hostOf = (url: string): string => {
  const start = url.indexOf('://')
  if (start < 0) return url
  const rest = url.slice(start + 3)
  return rest.slice(0, rest.search(/[/?#]|$/)).toLowerCase().replace(/^www\./, '')
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

export const earlierTouch = (a: Touch | null, b: Touch | null): Touch | null =>
  a === null ? b : b === null ? a : later(a.time, a.messageId, a, b.time, b.messageId, b) <= 0 ? a : b
export const laterTouch = (a: Touch | null, b: Touch | null): Touch | null =>
  a === null ? b : b === null ? a : later(a.time, a.messageId, a, b.time, b.messageId, b) >= 0 ? a : b
export const earlierChannel = (a: ChannelAt | null, b: ChannelAt | null): ChannelAt | null =>
  a === null ? b : b === null ? a : later(a[0], a[1], a, b[0], b[1], b) <= 0 ? a : b
export const laterChannel = (a: ChannelAt | null, b: ChannelAt | null): ChannelAt | null =>
  a === null ? b : b === null ? a : later(a[0], a[1], a, b[0], b[1], b) >= 0 ? a : b
