import type { StateWrite } from '@millrace/ports'
import type { OwnScope } from '@millrace/service-kit'

/** A scope in memory, for what is of the fold and not of lmdb. */
export const createMemoryScope = (): OwnScope & { apply(write: StateWrite): void } => {
  const documents = new Map<string, unknown>()
  const timers = new Map<string, number>()
  return {
    name: 'segmentation:0',
    from: 0,
    stored: () => {},
    get: async (keys) => keys.map((key) => documents.get(key)),
    scan: async ({ prefix, after = '', limit }) =>
      [...documents].filter(([key]) => key.startsWith(prefix) && key > after).sort(([x], [y]) => (x < y ? -1 : 1)).slice(0, limit).map(([key, document]) => ({ key, document })),
    timersDue: async (at, limit) =>
      [...timers].filter(([, due]) => due <= at).sort(([x, a], [y, b]) => a - b || (x < y ? -1 : 1)).slice(0, limit).map(([id, due]) => ({ id, at: due })),
    apply: (write) => {
      for (const [key, document] of write.puts) documents.set(key, document)
      for (const key of write.deletes) documents.delete(key)
      for (const [id, at] of write.timers) {
        if (at === null) timers.delete(id)
        else timers.set(id, at)
      }
    },
  }
}
