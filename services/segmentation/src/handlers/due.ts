import type { Millis } from '@millrace/contracts'

/** Timers that may fire within one batch, earliest first, then by person; a binary heap. */
export interface DueQueue {
  add(at: Millis, person: string): void
  first(): { readonly at: Millis; readonly person: string } | null
  /** The next one at or before `clock`, or null. */
  take(clock: Millis): { readonly at: Millis; readonly person: string } | null
}

type Entry = { readonly at: Millis; readonly person: string }
export const before = (x: Entry, y: Entry): boolean => x.at < y.at || (x.at === y.at && x.person < y.person)

export const createDueQueue = (): DueQueue => {
  const heap: Entry[] = []
  const swap = (x: number, y: number): void => {
    ;[heap[x], heap[y]] = [heap[y]!, heap[x]!]
  }
  const sink = (from: number): void => {
    for (let at = from; ; ) {
      const left = 2 * at + 1
      const least = [left, left + 1].filter((child) => child < heap.length).reduce((best, child) => (before(heap[child]!, heap[best]!) ? child : best), at)
      if (least === at) return
      swap(at, least)
      at = least
    }
  }
  return {
    add: (at, person) => {
      heap.push({ at, person })
      for (let child = heap.length - 1; child > 0; ) {
        const parent = (child - 1) >> 1
        if (!before(heap[child]!, heap[parent]!)) return
        swap(child, parent)
        child = parent
      }
    },
    first: () => heap[0] ?? null,
    take: (clock) => {
      const first = heap[0]
      if (!first || first.at > clock) return null
      const last = heap.pop()!
      if (heap.length > 0) {
        heap[0] = last
        sink(0)
      }
      return first
    },
  }
}
