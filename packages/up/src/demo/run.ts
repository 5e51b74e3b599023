import { topics } from '@millrace/contracts'
import type { Millrace } from '../millrace.ts'
import { fillWithShop } from './fill.ts'
import type { ShopTotals } from './shop.ts'

const DAY_MS = 86_400_000
const SCOPE = 'demo'

/** What is remembered of a filling, so that one that was killed goes on with the same days and people. */
interface Filling {
  readonly until: number
  readonly people: number
  readonly done: boolean
  readonly writeKeys: { readonly web: string; readonly counter: string }
}

/**
 * Fills an empty Millrace with the demo shop; one that was interrupted is finished.
 * @returns null when there is nothing to do: it is in already, or the folder has other events
 */
export const runDemo = async (
  millrace: Millrace,
  { people, apiKey, moved }: { readonly people: number; readonly apiKey: () => Promise<string>; readonly moved: (sent: number, total: number) => void },
): Promise<ShopTotals | null> => {
  const { hot } = millrace.ports
  const document = String(millrace.keys.project.id)
  const [before] = (await hot.get(SCOPE, [document])) as readonly (Filling | undefined)[]
  if (before?.done || (!before && !(await isEmpty(millrace)))) return null
  const filling = before ?? (await newFilling(millrace, people))
  await hot.update(SCOPE, document, () => filling)
  const totals = await fillWithShop({ url: millrace.urls.http, apiKey: await apiKey(), writeKeys: filling.writeKeys, until: filling.until, people: filling.people, moved })
  await hot.update(SCOPE, document, () => ({ ...filling, done: true }))
  return totals
}

const newFilling = async ({ ports, projects, keys }: Millrace, people: number): Promise<Filling> => {
  const now = ports.clock.now()
  return {
    until: now - (now % DAY_MS),
    people,
    done: false,
    writeKeys: { web: await projects.addWriteKey(keys.project.id, 'web'), counter: await projects.addWriteKey(keys.project.id, 'shop-counter') },
  }
}

const isEmpty = async ({ ports }: Millrace): Promise<boolean> =>
  (await ports.log.extents(topics.accepted.name)).every(({ next }) => next === 0)
