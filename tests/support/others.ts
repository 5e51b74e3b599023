import { chanceFrom, type Chance } from '@millrace/contracts'
import type { Millrace } from './millrace.ts'

export interface Others {
  /** Events that were acknowledged so far. */
  readonly sent: () => number
  /** Ends the sending and tells the rate that was reached. */
  stop(): Promise<{ readonly sent: number; readonly perSecond: number; readonly refused: number }>
}

const BATCHES_PER_SECOND = 20
const IN_FLIGHT_MAX = 8
const PEOPLE = 5_000

/**
 * The traffic of everybody else: so many events a second, in batches as SDKs send them, seeded. When the door is slow
 * it falls behind rather than pile up requests, and the rate it tells is what really went in.
 */
export const startOthers = (millrace: Pick<Millrace, 'send'>, perSecond: number, seed: number): Others => {
  const chance = chanceFrom(seed)
  const size = Math.max(1, Math.round(perSecond / BATCHES_PER_SECOND))
  const startedAt = performance.now()
  const inFlight = new Set<Promise<void>>()
  const counts = { begun: 0, sent: 0, refused: 0 }
  const post = async (events: readonly unknown[]): Promise<void> => {
    const answer = await millrace.send(events).catch(() => null)
    await answer?.arrayBuffer()
    counts[answer?.ok ? 'sent' : 'refused'] += events.length
  }
  const tick = (): void => {
    const due = ((performance.now() - startedAt) / 1000) * perSecond
    while (counts.begun < due && inFlight.size < IN_FLIGHT_MAX) {
      const events = Array.from({ length: size }, (_, index) => eventOf(chance, `o${seed}-${counts.begun + index}`))
      counts.begun += size
      const request = post(events).finally(() => inFlight.delete(request))
      inFlight.add(request)
    }
  }
  const timer = setInterval(tick, 1000 / BATCHES_PER_SECOND)
  return {
    sent: () => counts.sent,
    stop: async () => {
      clearInterval(timer)
      await Promise.all(inFlight)
      return { sent: counts.sent, refused: counts.refused, perSecond: Math.round(counts.sent / ((performance.now() - startedAt) / 1000)) }
    },
  }
}

const NAMES = ['Product Viewed', 'Product Viewed', 'Product Viewed', 'Product List Viewed', 'Product Added', 'Order Completed'] as const

const eventOf = (chance: Chance, messageId: string): Record<string, unknown> => {
  const person = chance.below(PEOPLE)
  const event = chance.pick(NAMES)
  const known = person % 3 === 0
  return {
    type: 'track',
    messageId,
    event,
    ...(known ? { userId: `other-${person}` } : { anonymousId: `device-${person}` }),
    properties: { run: 'others', category: `c${chance.below(20)}`, price: 1 + chance.below(500), ...(event === 'Order Completed' ? { order_id: messageId, revenue: 1 + chance.below(500), currency: 'CNY' } : {}) },
    context: { library: { name: 'load', version: '1' }, page: { path: `/p/${chance.below(500)}`, title: 'Some page', url: `https://shop.example/p/${chance.below(500)}` } },
  }
}
