import { topics, type LiveOverview } from '@millrace/contracts'
import { EventEmitter } from 'node:events'
import type { Assignment, Clock, ConsumeOptions } from '@millrace/ports'
import type { FastifyReply } from 'fastify'
import { describe, expect, it } from 'vitest'
import { createOverview } from '../src/live/overview.ts'
import { createOwned } from '../src/live/owned.ts'
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
    const overview = createOverview({ tail: createLiveTail(), isWhole: () => true, columns: columns as never, clock })
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

  it('goes on telling while other copies read a part of the events, for as long as somebody watches', async () => {
    const { clock, moveTo } = createClock()
    const { reply, told } = createReply()
    let stored = 0
    const columns = { query: async (sql: string) => (sql.includes('AS people') ? [{ people: 1, stored, refused: 0 }] : []) }
    const overview = createOverview({ tail: createLiveTail(), isWhole: () => false, columns: columns as never, clock })
    const stream = createLiveStream(overview, clock, { clientsMax: 5, everyMs: 500 })
    await stream.open(1, reply)
    stored = 7
    await moveTo(5_000)
    expect(JSON.parse(told.findLast((text) => text.startsWith('event: overview'))!.split('data: ')[1]!)).toMatchObject({ stored: 7 })
    reply.raw.emit('close')
    await moveTo(6_000)
    const messages = told.length
    await moveTo(9_000)
    expect(told.length).toBe(messages)
    stream.stop()
  })
})

describe('what a copy has read', () => {
  const assignment = (topic: string, partition: number): Assignment => ({ topic, partition, committed: { offset: 0, metadata: '' }, declare: async () => {} })
  const all = [topics.resolved, topics.rejected].flatMap(({ name, partitions }) => Array.from({ length: partitions }, (_, partition) => assignment(name, partition)))

  it('is whole when it reads every partition, and again five minutes after another copy read one of them', async () => {
    let now = 1_000_000
    const owned = createOwned({ now: () => now })
    const options = owned.watched({ open: async () => ({ from: 0, handle: async () => ({ outputs: [] }), close: async () => {} }) } as unknown as ConsumeOptions)
    const [last, ...others] = await Promise.all(all.map((place) => options.open(place)))
    expect(others.length).toBeGreaterThan(0)
    expect(owned.isWhole()).toBe(true)
    await options.open(assignment(topics.map.name, 0)).then((consumer) => consumer.close())
    expect(owned.isWhole()).toBe(true)
    await last!.close()
    expect(owned.isWhole()).toBe(false)
    await options.open(all[0]!)
    now += 299_000
    expect(owned.isWhole()).toBe(false)
    now += 1_000
    expect(owned.isWhole()).toBe(true)
  })
})
