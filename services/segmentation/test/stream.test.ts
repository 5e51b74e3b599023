import { type Chance, chanceFrom, topics } from '@millrace/contracts'
import type { ColumnStore } from '@millrace/ports'
import { referenceFlips } from '@millrace/segments'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStore } from './store.ts'
import { createSystem, type System } from './system.ts'

const HOUR = 3_600_000
const SEEDS = Number(process.env['SEGMENTATION_SEEDS'] ?? 3)
const STEPS = 120

const KEYS = [...Array.from({ length: 8 }, (_, n) => `user_id:u${n}`), ...Array.from({ length: 8 }, (_, n) => `anonymous_id:a${n}`)]

const randomLeaf = (chance: Chance): unknown => {
  const event = chance.pick(['Order Completed', 'Product Viewed', '*'])
  const window = chance.pick(['ever', { last: '1h' }, { last: '6h' }, { last: '1d' }, { last: '2d' }])
  const kind = chance.below(6)
  if (kind === 0) return { didNot: { event, window } }
  if (kind === 1 && chance.next() < 0.5) return { profile: { trait: 'visits', op: chance.pick(['gte', 'lt']), value: chance.pick([1, 2.5]) } }
  if (kind === 1) return { profile: { trait: 'plan', op: chance.pick(['eq', 'neq']), value: chance.pick(['free', 'pro']) } }
  if (kind === 2) return { did: { event, measure: 'sum', property: 'price', op: chance.pick(['gt', 'lte']), value: chance.pick([3, 7.5]), window } }
  if (kind === 3) return { did: { event, measure: 'distinct-days', op: chance.pick(['gte', 'eq']), value: chance.pick([1, 2]), window } }
  return { did: { event, op: chance.pick(['gte', 'eq', 'lt']), value: chance.pick([1, 2, 3]), window } }
}
const randomRule = (chance: Chance): unknown => {
  const kind = chance.below(4)
  if (kind === 0) return { all: [randomLeaf(chance), randomLeaf(chance)] }
  if (kind === 1) return { any: [randomLeaf(chance), { not: randomLeaf(chance) }] }
  return randomLeaf(chance)
}

const randomOps = (chance: Chance): unknown => chance.pick([
  { add: { visits: 1 } }, { add: { visits: 0.5 } }, { setOnce: { plan: 'free', visits: 1 } }, { append: { plan: 'x' } }, { unset: ['plan', 'visits'] }, { delete: true },
])

interface Run {
  readonly chance: Chance
  readonly system: System
  readonly segments: string[]
  faults: { left: number }
}

const doSomething = async ({ chance, system, segments, faults }: Run): Promise<void> => {
  const dice = chance.next()
  if (dice < 0.6) {
    const late = chance.pick([0, 0, 0, 0.5, 5, 26, 47])
    const identify = chance.next() < 0.15
    await system.home.event(chance.pick(KEYS), {
      timestamp: new Date(system.clock.now() - late * HOUR).toISOString(),
      ...(chance.next() < 0.3 ? { traitOps: randomOps(chance) } : {}),
      ...(identify
        ? { type: 'identify', traits: { plan: chance.pick(['free', 'pro', null]) } }
        : { event: chance.pick(['Order Completed', 'Product Viewed']), properties: { price: chance.pick([1, 2.5, -1]) } }),
    })
  } else if (dice < 0.76) await system.clock.moveTo(system.clock.now() + chance.pick([0.1, 0.5, 1, 5, 24]) * HOUR)
  else if (dice < 0.9) await system.home.place(chance.pick(KEYS), system.home.own(chance.pick(KEYS)))
  else if (dice < 0.94) await system.drain()
  else if (dice < 0.96) await system.restart()
  else if (dice < 0.97) faults.left += 1
  else await changeRules({ chance, system, segments })
}

const changeRules = async ({ chance, system, segments }: Pick<Run, 'chance' | 'system' | 'segments'>): Promise<void> => {
  const known = segments.length > 0 && chance.next() < 0.4 ? chance.pick(segments) : null
  if (known && chance.next() < 0.3) {
    segments.splice(segments.indexOf(known), 1)
    expect((await system.call('DELETE', `/api/segments/${known}`)).status).toBe(204)
  } else if (known) {
    expect((await system.call('PUT', `/api/segments/${known}`, { name: 'n', rule: randomRule(chance) })).status).toBe(200)
  } else {
    const answer = await system.call('POST', '/api/segments', { name: 'n', rule: randomRule(chance) })
    expect(answer).toMatchObject({ status: 201 })
    segments.push(answer.body.id)
  }
}

const sorted = (flips: readonly object[]): readonly string[] => flips.map((flip) => JSON.stringify(flip)).sort()

describe('segmentation over random streams', () => {
  let columns: ColumnStore
  beforeAll(async () => {
    columns = await openStore()
  })
  afterAll(() => columns.close())

  it('tells the flips that the words of the rules give, with numbers that move, late events, new rules, restarts and faults', async () => {
    const total = { flips: 0, backfilled: 0, byTime: 0, byMerge: 0, faults: 0 }
    for (let seed = 1; seed <= SEEDS; seed++) {
      const faults = { left: 0 }
      const probe = (point: string): void => {
        if (faults.left === 0 || point === 'timer.append') return
        faults.left--
        total.faults++
        throw new Error(`a fault at ${point}`)
      }
      const chance = chanceFrom(seed)
      const system = await createSystem({ columns, projectId: seed, zone: chance.pick(['UTC', 'Asia/Kolkata']), probe })
      const run: Run = { chance, system, segments: [], faults }
      for (let rules = 0; rules < 2; rules++) await changeRules({ chance, system, segments: run.segments })
      for (let step = 0; step < STEPS; step++) await doSomething(run)
      for (const segment of run.segments) await system.untilLive(segment)
      await system.clock.moveTo(system.clock.now() + 72 * HOUR)
      await system.drain()
      const told = await system.flips()
      const expected = referenceFlips(await system.records(), () => system.project, topics.accepted.partitions)
      const found = told.map(({ segment, version, person, flip, at, number }) => ({ segment, version, person, flip, at, number }))
      expect({ seed, flips: sorted(found) }).toEqual({ seed, flips: sorted(expected) })
      total.flips += told.length
      total.backfilled += told.filter(({ cause }) => cause === 'backfill').length
      total.byTime += told.filter(({ cause }) => cause === 'time').length
      total.byMerge += told.filter(({ cause }) => cause === 'merge').length
      await system.stop()
    }
    process.stdout.write(`segmentation against the reference: ${SEEDS} seeds × ${STEPS} steps, ${JSON.stringify(total)}\n`)
    expect(total.flips).toBeGreaterThan(0)
  })
})
