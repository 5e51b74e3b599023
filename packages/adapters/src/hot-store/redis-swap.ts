import { HotStoreUnavailable, type Document, type HotStore } from '@millrace/ports'
import type { StoreDeps } from './redis.ts'
import { checkedKey } from './redis-writes.ts'

/** Each conflict means that another copy's change was stored, so so many in a row are a fault somewhere. */
const CONFLICTS_MAX = 100

/** Read, change, write when it is still as read. Updates of this process on one document wait for each other. */
export const createSwaps = (store: StoreDeps): Pick<HotStore, 'update'> => {
  const turns = new Map<string, Promise<void>>()
  return {
    update: async (scope, key, change, ttlMs) => {
      const name = `${scope}\0${key}`
      const before = turns.get(name)
      let done = (): void => {}
      const turn = new Promise<void>((resolve) => (done = resolve))
      turns.set(name, turn)
      try {
        await before
        return await swap(store, scope, key, change, ttlMs)
      } finally {
        if (turns.get(name) === turn) turns.delete(name)
        done()
      }
    },
  }
}

const swap = async (
  { connection, codec, clock, scopeKeys }: StoreDeps, scope: string, key: string,
  change: (before: Document | undefined) => Document | undefined, ttlMs: number | undefined,
): Promise<Document | undefined> => {
  const keys = scopeKeys(scope)
  checkedKey(scope, key)
  for (let conflicts = 0; conflicts < CONFLICTS_MAX; conflicts++) {
    const stored = await connection.ask((client) => client.hgetBuffer(keys[0]!, key))
    const now = clock.now()
    const isOver = stored !== null && codec.endsAt(stored) !== 0 && codec.endsAt(stored) <= now
    const after = change(stored === null || isOver ? undefined : codec.decode(stored))
    const endsAt = ttlMs === undefined || after === undefined ? 0 : Math.ceil(now + ttlMs)
    const written = after === undefined ? ['0', ''] : ['1', codec.encode(after, endsAt)]
    const swapped = await connection.ask((client) =>
      client.millraceSwap(4, ...keys, key, ...(stored === null ? ['0', ''] : ['1', stored]), ...written, String(endsAt), String(now)))
    if (swapped === 1) return after
  }
  throw new HotStoreUnavailable(`the document ${key} of ${scope} was changed by others ${CONFLICTS_MAX} times in a row`)
}
