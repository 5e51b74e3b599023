import { ACTIVITY_TYPES, type CanonicalEvent, type Millis } from '@millrace/contracts'
import { bounds, clip, later, markPartial, type ConsentRow, type CountRow, type DeviceRow, type ProfileState } from './state.ts'
import { find, put } from './tables.ts'

/** Track, page and screen are what a person does; the other types only say something about them. */
export const isActivity = (event: CanonicalEvent): boolean => ACTIVITY_TYPES.includes(event.type)

export const includeCounts = (state: ProfileState, event: CanonicalEvent): void => {
  const { timestamp: time } = event
  const name = clip(state, 'events', event.event)
  if (put<CountRow>(state.names, name, bounds.eventNames, (row) => counted(row, name, time))) markPartial(state, 'events')
  if (event.channel === '' || !isActivity(event)) return
  const channel = clip(state, 'channels', event.channel)
  if (put<CountRow>(state.channels, channel, bounds.channels, (row) => counted(row, channel, time))) markPartial(state, 'channels')
}

const counted = (row: CountRow | undefined, name: string, time: Millis): CountRow =>
  row ? [name, row[1] + 1, Math.min(row[2], time), Math.max(row[3], time)] : [name, 1, time, time]

export const addCounts = (a: CountRow, b: CountRow): CountRow => [a[0], a[1] + b[1], Math.min(a[2], b[2]), Math.max(a[3], b[3])]

/** What the person allowed, by category; the last word counts. */
export const includeConsent = (state: ProfileState, event: CanonicalEvent): void => {
  const consent = event.context['consent'] as { categoryPreferences?: unknown } | undefined
  const preferences = consent?.categoryPreferences
  if (typeof preferences !== 'object' || preferences === null) return
  for (const [name, allowed] of Object.entries(preferences)) {
    if (typeof allowed !== 'boolean') continue
    const row: ConsentRow = [clip(state, 'consent', name), event.timestamp, event.messageId, allowed]
    if (put<ConsentRow>(state.consent, row[0], bounds.consentCategories, (before) => (before ? laterRow(before, row) : row)))
      markPartial(state, 'consent')
  }
}

/** The later of two rows that carry their order behind the key. */
export const laterRow = <R extends ConsentRow | DeviceRow>(a: R, b: R): R => (laterOf(a, b) >= 0 ? a : b)

/** A device is named by its id, else by the anonymous id; the devices seen last are kept. */
export const includeDevice = (state: ProfileState, event: CanonicalEvent): void => {
  const device = event.context['device'] as { id?: unknown; type?: unknown; model?: unknown } | undefined
  const id = textOf(device?.id) || event.anonymousId || ''
  if (id === '') return
  const os = event.context['os'] as { name?: unknown } | undefined
  const cut = (text: string): string => clip(state, 'devices', text)
  const row: DeviceRow = [cut(id), event.timestamp, event.messageId, cut(textOf(device?.type)), cut(textOf(device?.model)), cut(textOf(os?.name))]
  put<DeviceRow>(state.devices, row[0], Infinity, (before) => (before ? laterRow(before, row) : row))
  keepLastDevices(state)
}

export const keepLastDevices = (state: ProfileState): void => {
  while (state.devices.length > bounds.devices) {
    const oldest = state.devices.reduce((a, b) => (laterOf(a, b) > 0 ? b : a))
    state.devices.splice(find(state.devices, oldest[0]), 1)
    markPartial(state, 'devices')
  }
}

const laterOf = (a: ConsentRow | DeviceRow, b: ConsentRow | DeviceRow): number => later(a[1], a[2], a, b[1], b[2], b)

const textOf = (value: unknown): string => (typeof value === 'string' ? value.trim() : '')
