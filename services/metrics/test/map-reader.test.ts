import { retentionQuestion, trendsQuestion } from '@millrace/contracts'
import { deltaRows } from '@millrace/warehouse'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askRetention, askTrends, type Asking } from '../src/index.ts'
import { createMapReader } from '../src/sink/map-reader.ts'
import { insertClock, insertEvents, mergeNumbers, openWarehouse, type Store } from './warehouse.ts'

describe('the map number → person', () => {
  let store: Store
  let asking: Asking
  const project = { id: 1, zone: 'UTC', currency: 'USD' }
  const at = Date.UTC(2024, 0, 8, 12)
  beforeAll(async () => {
    store = await openWarehouse()
    asking = { columns: store.columns, bounds: { queryMsMax: 20_000, queryMemoryBytesMax: 900_000_000, queryRowsMax: 100_000 } }
    await insertEvents(store.columns, 1, 'UTC', Array.from({ length: 8 }, (_, user) => ({ user: user + 1, event: 'a', at })))
  })
  afterAll(() => store.close())

  const people = async (): Promise<unknown> => {
    const question = trendsQuestion.parse({ events: [{ event: 'a' }], measure: 'people', from: '2024-01-08', to: '2024-01-08' })
    return (await askTrends(asking, project, question)).series[0]!.points[0]!.value
  }

  it('moves to the base when the delta has grown, and follows later merges and unmerges', async () => {
    const map = createMapReader(store.columns, (error) => expect.unreachable(String(error)), 3)
    await mergeNumbers(store.columns, 1, [[2, 1], [3, 1]], 1)
    await map.read()
    expect([await people(), await deltaRows(store.columns)]).toEqual([6, 2])
    await mergeNumbers(store.columns, 1, [[4, 1], [5, 1]], 2)
    await map.read()
    // Seen at once, and still so when the base has it.
    expect(await people()).toBe(4)
    await map.settled()
    expect([await people(), await deltaRows(store.columns)]).toEqual([4, 0])
    await mergeNumbers(store.columns, 1, [[2, 2], [6, 1]], 3)
    await map.read()
    expect([await people(), await deltaRows(store.columns)]).toEqual([4, 2])
  })

  it('holds up no change while the base is read, and tries again after one that failed', async () => {
    const faults: unknown[] = []
    let reading = (): void => {}
    const gate = new Promise<void>((resolve) => (reading = resolve))
    let bases = 0
    const slow = {
      ...store.columns,
      command: async (sql: string) => {
        if (!sql.includes('person_base')) return store.columns.command(sql)
        await gate
        if (++bases === 1) throw new Error('no memory for it')
        return store.columns.command(sql)
      },
    }
    const map = createMapReader(slow, (error) => void faults.push(error), 1)
    const before = (await people()) as number
    await mergeNumbers(store.columns, 1, [[7, 1]], 10)
    await map.read()
    await mergeNumbers(store.columns, 1, [[8, 1]], 11)
    await map.read()
    expect([await people(), bases]).toEqual([before - 2, 0])
    reading()
    await map.settled()
    expect([faults.length, await people()]).toEqual([1, before - 2])
    await map.read()
    await map.settled()
    expect([faults.length, await people(), await deltaRows(store.columns)]).toEqual([1, before - 2, 0])
  })

  it('keeps weeks and months of retention whole, and marks what is not over', async () => {
    const day = (text: string): number => Date.parse(`${text}T12:00:00Z`)
    await insertEvents(store.columns, 2, 'UTC', [
      { user: 1, event: 'a', at: day('2024-01-31') },
      { user: 1, event: 'a', at: day('2024-02-01') },
      { user: 2, event: 'a', at: day('2024-02-04') },
      { user: 2, event: 'a', at: day('2024-02-12') },
    ])
    await insertClock(store.columns, day('2024-02-20'))
    const question = retentionQuestion.parse({ start: { event: 'a' }, return: { event: 'a' }, periods: 2, from: '2024-01-01', to: '2024-02-29' })
    const ask = async (interval: 'week' | 'month') => (await askRetention(asking, { ...project, id: 2 }, { ...question, interval })).cohorts
    // Monday the 29th of January to Sunday the 4th of February is one week.
    expect(await ask('week')).toEqual([{ at: '2024-01-29', size: 2, returned: [2, 0, 1], complete: [true, true, true] }])
    expect(await ask('month')).toEqual([
      { at: '2024-01-01', size: 1, returned: [1, 1, 0], complete: [true, false, false] },
      { at: '2024-02-01', size: 1, returned: [1, 0, 0], complete: [false, false, false] },
    ])
  })
})
