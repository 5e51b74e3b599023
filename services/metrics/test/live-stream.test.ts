import type { LiveOverview } from '@millrace/contracts'
import { EventEmitter } from 'node:events'
import type { Clock } from '@millrace/ports'
import type { FastifyReply } from 'fastify'
import { describe, expect, it } from 'vitest'
import { createOverview } from '../src/live/overview.ts'
import { createLiveStream } from '../src/live/stream.ts'
import { createLiveTail } from '../src/live/tail.ts'

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Stands until it is moved. */
const createClock = () => {
  let now = 0
  let waiting: { at: number; callback: () => void }[] = []
  const clock: Clock = {
    now: () => now,
    after: (ms, callback) => {
      const wait = { at: now + ms, callback }
      waiting.push(wait)
      return () => void (waiting = waiting.filter((other) => other !== wait))
    },
  }
  const moveTo = async (to: number): Promise<void> => {
    for (; now < to; now += 100) {
      const due = waiting.filter(({ at }) => at <= now)
      waiting = waiting.filter(({ at }) => at > now)
      for (const { callback } of due) callback()
      await breathe()
    }
  }
  return { clock, moveTo }
}

const createReply = () => {
  const told: string[] = []
  const raw = Object.assign(new EventEmitter(), {
    writableLength: 0, write: (text: string) => told.push(text), writeHead: () => told.push('head'), end: () => {}, destroy: () => {},
  })
  return { reply: { raw, hijack: () => {} } as unknown as FastifyReply, told }
}

describe('the stream of a page', () => {
  it('begins with its head, also when something is stored while its first message is counted', async () => {
    const { clock, moveTo } = createClock()
    const { reply, told } = createReply()
    let counted = (): void => {}
    let asked = 0
    const first = new Promise<void>((resolve) => (counted = resolve))
    const of = async (): Promise<LiveOverview> => {
      if (asked++ === 0) await first
      return {} as LiveOverview
    }
    const stream = createLiveStream({ of, isBehind: () => false }, clock, { clientsMax: 5, everyMs: 500 })
    const opened = stream.open(1, reply)
    stream.changed(new Set([1]))
    await moveTo(1_000)
    counted()
    await opened
    expect(told[0]).toBe('head')
    stream.stop()
  })

  it('tells the totals of the last event of a burst, though they are not counted for each message', async () => {
    const { clock, moveTo } = createClock()
    const { reply, told } = createReply()
    let stored = 0
    const columns = { query: async () => [{ people: 1, stored, refused: 0 }] }
    const overview = createOverview({ tail: createLiveTail(), columns: columns as never, clock })
    const stream = createLiveStream(overview, clock, { clientsMax: 5, everyMs: 500 })
    await stream.open(1, reply)
    for (; stored < 5; stored++) {
      overview.changed([1])
      stream.changed(new Set([1]))
      await moveTo(clock.now() + 200)
    }
    await moveTo(10_000)
    expect(JSON.parse(told.findLast((text) => text.startsWith('event: overview'))!.split('data: ')[1]!)).toMatchObject({ stored: 5 })
    const messages = told.length
    await moveTo(15_000)
    expect(told.length).toBe(messages)
    stream.stop()
  })
})
