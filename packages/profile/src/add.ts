import type { CanonicalEvent, Key } from '@millrace/contracts'
import { addActivity, includeActivity } from './activity.ts'
import { addCounts, includeConsent, includeCounts, includeDevice, isActivity, keepLastDevices, laterRow } from './counts.ts'
import { addOrders, addSums, includeOrder } from './orders.ts'
import { bounds, earliest, emptyState, latest, markPartial, type KeyRow, type Part, type ProfileState, type TraitRow } from './state.ts'
import { join, put, type Row } from './tables.ts'
import { earlierChannel, earlierTouch, includeTouch, laterChannel, laterTouch } from './touch.ts'
import { addTraitRows, includeTraits, latestDelete, visibleRows } from './traits.ts'

/**
 * Adds one event, filed under `key`, to a state that the caller owns (see `copyState`), in place: this is the hot path.
 * Repeats must have been taken out before: each event comes once.
 */
export const includeEvent = (state: ProfileState, event: CanonicalEvent, key: Key, number: number): void => {
  // Nearly always there: a slot holds one number, and a number has one key.
  if (state.keys.length !== 1 || state.keys[0]![0] !== key) includeKey(state, [key, number])
  state.events++
  state.first = earliest(state.first, event.timestamp)
  state.last = latest(state.last, event.timestamp)
  includeCounts(state, event)
  includeTraits(state, event)
  includeConsent(state, event)
  if (!isActivity(event)) return
  includeActivity(state, event.timestamp)
  includeDevice(state, event)
  includeTouch(state, event)
  includeOrder(state, event)
}

const includeKey = (state: ProfileState, row: KeyRow): void => {
  if (put<KeyRow>(state.keys, row[0], bounds.keys, () => row)) markPartial(state, 'keys')
}

/** The sum of two states, a new one; commutative and associative, `emptyState` is its zero. */
export const addStates = (a: ProfileState, b: ProfileState): ProfileState => {
  const sum = emptyState()
  for (const part of [...a.partial, ...b.partial]) markPartial(sum, part)
  const joined = <R extends Row>(x: R[], y: R[], max: number, combine: (x: R, y: R) => R, part: Part): R[] => {
    const { rows, dropped } = join(x, y, max, combine)
    if (dropped) markPartial(sum, part)
    return rows
  }
  sum.keys = joined(a.keys, b.keys, bounds.keys, (row) => row, 'keys')
  sum.events = a.events + b.events
  sum.first = earliest(a.first, b.first)
  sum.last = latest(a.last, b.last)
  const deleted = latestDelete(a.deleted, b.deleted)
  if (deleted) sum.deleted = deleted
  const addRows = (x: TraitRow, y: TraitRow): TraitRow => addTraitRows(x, y, deleted)
  sum.traits = joined(visibleRows(a.traits, deleted), visibleRows(b.traits, deleted), bounds.traits, addRows, 'traits')
  sum.names = joined(a.names, b.names, bounds.eventNames, addCounts, 'events')
  sum.channels = joined(a.channels, b.channels, bounds.channels, addCounts, 'channels')
  sum.consent = joined(a.consent, b.consent, bounds.consentCategories, laterRow, 'consent')
  sum.devices = joined(a.devices, b.devices, Infinity, laterRow, 'devices')
  keepLastDevices(sum)
  sum.orders = joined(a.orders, b.orders, bounds.orders, addOrders, 'orders')
  sum.other = joined(a.other, b.other, bounds.currencies, addSums, 'revenue')
  sum.firstTouch = earlierTouch(a.firstTouch, b.firstTouch)
  sum.lastTouch = laterTouch(a.lastTouch, b.lastTouch)
  sum.firstChannel = earlierChannel(a.firstChannel, b.firstChannel)
  sum.lastChannel = laterChannel(a.lastChannel, b.lastChannel)
  addActivity(sum, a.active, b.active)
  return sum
}
