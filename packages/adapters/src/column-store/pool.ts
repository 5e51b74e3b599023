import { StoreError } from '@millrace/ports'

/** Inserts are served before other work that waits. */
type Lane = 'insert' | 'work'

export interface Pool<Member> {
  /** @throws StoreError 202 when too many wait already, 0 when the pool is closed */
  take(lane: Lane): Promise<Member>
  /** A member whose work did not end well comes back as `spoiled` and is replaced by a new one. */
  give(member: Member, state: 'clean' | 'spoiled'): Promise<void>
  run<Answer>(work: (member: Member) => Promise<Answer>, lane: Lane): Promise<Answer>
  /** Refuses new work and resolves when all members came back. */
  close(): Promise<void>
}

interface Waiting<Member> {
  readonly resolve: (member: Member) => void
  readonly reject: (error: StoreError) => void
}

const TOO_MANY = 202

export interface PoolOptions<Member> {
  readonly size: number
  readonly waitingMax: number
  open(): Member
  close(member: Member): Promise<void>
}

/** A fixed number of members, each used by one at a time, and a bounded queue in front of them. */
export const createPool = <Member>({ size, waitingMax, open, close }: PoolOptions<Member>): Pool<Member> => {
  const free = Array.from({ length: size }, open)
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
  const give = async (used: Member, state: 'clean' | 'spoiled'): Promise<void> => {
    if (state === 'spoiled') await close(used)
    const member = state === 'spoiled' ? open() : used
    const next = lanes.insert.shift() ?? lanes.work.shift()
    if (next) return next.resolve(member)
    free.push(member)
    if (free.length === size) whenIdle?.()
  }
  return {
    take,
    give,
    run: async (work, lane) => {
      const member = await take(lane)
      let state: 'clean' | 'spoiled' = 'spoiled'
      try {
        const answer = await work(member)
        state = 'clean'
        return answer
      } finally {
        await give(member, state)
      }
    },
    close: async () => {
      closed = true
      for (const waiting of [...lanes.insert.splice(0), ...lanes.work.splice(0)]) {
        waiting.reject(new StoreError(0, 'the column store is closed'))
      }
      if (free.length < size) await new Promise<void>((resolve) => (whenIdle = resolve))
      for (const member of free.splice(0)) await close(member)
    },
  }
}
