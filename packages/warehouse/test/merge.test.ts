import { createZone, personIdOf } from '@millrace/contracts'
import { eventRow, numberRow, reloadNumbers } from '@millrace/warehouse'
import { expect, it } from 'vitest'
import { AT, event, line } from './builders.ts'
import { insertRows, openStore } from './store.ts'

const PEOPLE = 100_000

it('shows a merge as soon as the delta is read again when 100,000 people are known', async () => {
  const store = await openStore()
  const utc = createZone('UTC').day
  const person = (n: number): string => personIdOf(1, `user_id:u${n}`)
  const anonymous = (n: number, version: number): string =>
    numberRow(1, { type: 'number.mapped', number: n * 64, key: `anonymous_id:a${n}`, person: person(n), personNumber: n * 64 + 1, linkedAt: AT, version })
  await insertRows(store, 'numbers', Array.from({ length: PEOPLE }, (_, n) => anonymous(n, n + 1)), 'known')
  await insertRows(store, 'events', [eventRow(event({ userId: null, anonymousId: 'fresh' }), line({ key: 'anonymous_id:fresh', number: 7_000_000 }), utc)], 'fresh')
  await reloadNumbers(store, 'base')
  const times: number[] = []
  for (let n = 0; n < 20; n++) {
    const started = performance.now()
    const fact = numberRow(1, { type: 'number.mapped', number: 7_000_000, key: 'anonymous_id:fresh', person: person(n), personNumber: n * 64 + 1, linkedAt: AT, version: PEOPLE + n + 1 })
    await insertRows(store, 'numbers', [fact], `merge-${n}`)
    await reloadNumbers(store, 'delta')
    expect(await store.query("SELECT person_id FROM millrace.events WHERE anonymous_id = 'fresh'")).toEqual([{ person_id: person(n) }])
    times.push(performance.now() - started)
  }
  times.sort((a, b) => a - b)
  const base = performance.now()
  await reloadNumbers(store, 'base')
  process.stdout.write(`merge → visible at ${PEOPLE} known people: p50 ${times[10]!.toFixed(0)} ms, max ${times.at(-1)!.toFixed(0)} ms; base reload ${(performance.now() - base).toFixed(0)} ms\n`)
  await store.close()
})
