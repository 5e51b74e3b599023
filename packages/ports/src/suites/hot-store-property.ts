import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Clock } from '../clock.ts'
import type { StateWrite } from '../event-log.ts'
import type { HotStore } from '../hot-store.ts'

const SEED = Number(process.env['MILLRACE_SEED'] ?? 5)
const RUNS = Number(process.env['MILLRACE_RUNS'] ?? 80)
const SCOPES = ['a', 'a:1', 'b']

/** A store that is empty at first and lives by the clock given. */
export interface PropertyFixture {
  readonly hot: HotStore
  /** Another store over the same data, with an empty memory. */
  again(): Promise<HotStore>
  dispose(): Promise<void>
}

/** Any sequence of operations leaves what maps would hold. */
export const hotStoreProperty = (name: string, make: (clock: Clock, documentsInMemory: number) => Promise<PropertyFixture>): void => {
  it(`behaves like maps under any sequence of operations: ${name}, seed ${SEED}`, async () => {
    let cases = 0
    let steps = 0
    const property = fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 60, size: 'max' }), fc.constantFrom(0, 2, 100), async (operations, documentsInMemory) => {
      cases++
      const model = new Model()
      const fixture = await make({ now: () => model.time, after: () => () => {} }, documentsInMemory)
      try {
        for (const step of operations) {
          steps++
          await run(fixture.hot, model, step)
        }
        const again = await fixture.again()
        for (const scope of SCOPES) await check(again, model, { kind: 'check', scope, prefix: '', after: null, limit: 5, at: 20 })
      } finally {
        await fixture.dispose()
      }
    })
    await fc.assert(property, { seed: SEED, numRuns: RUNS })
    expect(cases).toBeGreaterThanOrEqual(RUNS)
    process.stdout.write(`hot store against maps, ${name}: ${cases} cases, ${steps} operations, seed ${SEED}\n`)
  })
}

const key = fc.constantFrom('', 'k', 'k1', 'k\0', 'kä', 'l', '\u{ffff}', '\u{10000}')
const scope = fc.constantFrom(...SCOPES)
const document = fc.oneof(fc.integer(), fc.string(), fc.dictionary(fc.string({ maxLength: 3 }), fc.double({ noNaN: true, noDefaultInfinity: true }), { maxKeys: 3, noNullPrototype: true }))
const at = fc.integer({ min: -20, max: 20 })

const operation = fc.oneof(
  fc.record({
    kind: fc.constant('apply' as const), scope, watermark: fc.integer({ min: 0, max: 30 }), over: fc.option(fc.constantFrom('exact' as const, 0, 7), { freq: 3 }),
    puts: fc.array(fc.tuple(key, document), { maxLength: 4 }), deletes: fc.array(key, { maxLength: 2 }),
    timers: fc.array(fc.tuple(key, fc.option(at)), { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant('update' as const), scope, key, document: fc.option(document), ttlMs: fc.option(fc.integer({ min: 1, max: 20 })) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 10 }) }),
  fc.record({ kind: fc.constant('clear' as const), scope }),
  fc.record({ kind: fc.constant('check' as const), scope, prefix: key, after: fc.option(key), limit: fc.integer({ min: 0, max: 5 }), at }),
)
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never

interface ModelScope {
  watermark: number | null
  readonly documents: Map<string, { document: unknown; endsAt: number }>
  readonly timers: Map<string, number>
}

/** What the store should hold, in plain maps. */
class Model {
  time = 1_000
  readonly scopes = new Map<string, ModelScope>(SCOPES.map((name) => [name, emptyScope()]))

  apply(write: StateWrite, over: number | undefined): boolean {
    const own = this.scopes.get(write.scope)!
    if (own.watermark !== null && own.watermark >= write.watermark) return false
    if (over !== undefined && over !== (own.watermark ?? 0)) return false
    own.watermark = write.watermark
    for (const [name, value] of write.puts) own.documents.set(name, { document: value, endsAt: Infinity })
    for (const name of write.deletes) own.documents.delete(name)
    for (const [id, time] of write.timers) {
      if (time === null) own.timers.delete(id)
      else own.timers.set(id, time)
    }
    return true
  }

  live(name: string): [string, unknown][] {
    return [...this.scopes.get(name)!.documents]
      .filter(([, { endsAt }]) => endsAt > this.time)
      .map(([own, found]): [string, unknown] => [own, found.document])
      .sort(([left], [right]) => byBytes(left, right))
  }

  timers(name: string): { id: string; at: number }[] {
    return [...this.scopes.get(name)!.timers].map(([id, time]) => ({ id, at: time }))
      .sort((left, right) => left.at - right.at || byBytes(left.id, right.id))
  }
}

const emptyScope = (): ModelScope => ({ watermark: null, documents: new Map(), timers: new Map() })
const byBytes = (left: string, right: string): number => Buffer.compare(Buffer.from(left), Buffer.from(right))

const run = async (hot: HotStore, model: Model, step: Operation): Promise<void> => {
  if (step.kind === 'apply') {
    const { scope: own, watermark, puts, timers } = step
    const write = { scope: own, watermark, puts, timers, deletes: step.deletes.filter((name) => !puts.some(([put]) => put === name)) }
    const over = step.over === 'exact' ? (model.scopes.get(own)!.watermark ?? 0) : (step.over ?? undefined)
    expect(await hot.apply(write, over)).toBe(model.apply(write, over))
  } else if (step.kind === 'update') {
    const before = new Map(model.live(step.scope)).get(step.key)
    const seen: unknown[] = []
    await hot.update(step.scope, step.key, (found) => {
      seen.push(found)
      return step.document ?? undefined
    }, step.ttlMs ?? undefined)
    expect(seen.at(-1)).toEqual(before)
    const documents = model.scopes.get(step.scope)!.documents
    if (step.document === null) documents.delete(step.key)
    else documents.set(step.key, { document: step.document, endsAt: step.ttlMs === null ? Infinity : model.time + step.ttlMs })
  } else if (step.kind === 'pass') {
    model.time += step.ms
  } else if (step.kind === 'clear') {
    await hot.clear(step.scope)
    model.scopes.set(step.scope, emptyScope())
  } else await check(hot, model, step)
}

const check = async (hot: HotStore, model: Model, step: Extract<Operation, { kind: 'check' }>): Promise<void> => {
  const live = model.live(step.scope)
  const wanted = live.filter(([name]) => name.startsWith(step.prefix) && (step.after === null || byBytes(name, step.after) > 0))
  const scan = { prefix: step.prefix, limit: step.limit, ...(step.after === null ? {} : { after: step.after }) }
  expect(await hot.scan(step.scope, scan)).toEqual(wanted.slice(0, step.limit).map(([own, value]) => ({ key: own, document: value })))
  expect(await hot.get(step.scope, live.map(([name]) => name))).toEqual(live.map(([, value]) => value))
  expect(await hot.get(step.scope, ['none', step.prefix])).toEqual([undefined, new Map(live).get(step.prefix)])
  const timers = model.timers(step.scope)
  expect(await hot.timersDue(step.scope, step.at, step.limit)).toEqual(timers.filter((timer) => timer.at <= step.at).slice(0, step.limit))
  expect(await hot.nextTimer(step.scope)).toEqual(timers[0] ?? null)
  expect(await hot.watermark(step.scope)).toBe(model.scopes.get(step.scope)!.watermark)
}
