import type { Document, Entry, HotStore } from '@millrace/ports'

/** Just enough of a hot store for what the kit does with one: documents and watermarks by scope, without timers. */
export const createMemoryHotStore = (): HotStore => {
  const scopes = new Map<string, Map<string, Document>>()
  const watermarks = new Map<string, number>()
  const scopeOf = (scope: string) => {
    const found = scopes.get(scope) ?? new Map<string, Document>()
    scopes.set(scope, found)
    return found
  }
  return {
    watermark: async (scope) => watermarks.get(scope) ?? null,
    get: async (scope, keys) => keys.map((key) => scopeOf(scope).get(key)),
    scan: async (scope, { prefix, after, limit }) =>
      [...scopeOf(scope)].filter(([key]) => key.startsWith(prefix) && (after === undefined || key > after)).sort()
        .slice(0, limit).map(([key, document]): Entry => ({ key, document })),
    apply: async ({ scope, watermark, puts }) => {
      watermarks.set(scope, watermark)
      for (const [key, document] of puts) scopeOf(scope).set(key, document)
      return true
    },
    timersDue: async () => [],
    nextTimer: async () => null,
    update: async (scope, key, change) => {
      const after = change(scopeOf(scope).get(key))
      if (after === undefined) scopeOf(scope).delete(key)
      else scopeOf(scope).set(key, structuredClone(after))
      return after
    },
    clear: async (scope) => void scopes.delete(scope),
    close: async () => {},
  }
}
