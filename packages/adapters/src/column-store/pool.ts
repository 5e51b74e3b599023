import { StoreError } from '@millrace/ports'

/** Inserts are served before other work that waits. */
export type Lane = 'insert' | 'work'

export interface Pool<Member> {
  /** @throws StoreError 202 when too many wait already, 0 when the pool is closed */
  take(lane: Lane): Promise<Member>
  give(member: Member): void
  run<Answer>(work: (member: Member) => Promise<Answer>, lane: Lane): Promise<Answer>
  /** Refuses new work and resolves when all members came back. */
  close(): Promise<void>
}

interface Waiting<Member> {
  readonly resolve: (member: Member) => void
  readonly reject: (error: StoreError) => void
}

const TOO_MANY = 202

/** A fixed set of members, each used by one at a time, and a bounded queue in front of them. */
export const createPool = <Member>(members: readonly Member[], waitingMax: number): Pool<Member> => {
  const free = [...members]
  const lanes: Record<Lane, Waiting<Member>[]> = { insert: [], work: [] }
  let whenIdle: (() => void) | null = null
  let closed = false

  const take = (lane: Lane): Promise<Member> => {
    if (closed) return Promise.reject(new StoreError(0, 'the column store is closed'))
    const member = free.pop()
    if (member) return Promise.resolve(member)
    if (lanes[lane].length >= waitingMax) {
      return Promise.reject(new StoreError(TOO_MANY, `more than ${waitingMax} statements wait for the column store`))
    }
    return new Promise((resolve, reject) => lanes[lane].push({ resolve, reject }))
  }
  const give = (member: Member): void => {
    const next = lanes.insert.shift() ?? lanes.work.shift()
    if (next) return next.resolve(member)
    free.push(member)
    if (free.length === members.length) whenIdle?.()
  }
  return {
    take,
    give,
    run: async (work, lane) => {
      const member = await take(lane)
      try {
        return await work(member)
      } finally {
        give(member)
      }
    },
    close: async () => {
      closed = true
      for (const waiting of [...lanes.insert.splice(0), ...lanes.work.splice(0)]) {
        waiting.reject(new StoreError(0, 'the column store is closed'))
      }
      if (free.length < members.length) await new Promise<void>((resolve) => (whenIdle = resolve))
    },
  }
}
