import type { ChildProcess } from 'node:child_process'
import type { HotStore, StateWrite } from '@millrace/ports'

/** What the processes of a chaos run share, kept by the one that starts them: state by compare-and-set, and a store of rows that knows its tokens. */
export interface SharedState {
  watermark(scope: string): number | null
  get(scope: string, key: string): unknown
  readonly rows: ReadonlySet<string>
  readonly counts: { rowsTwice: number; tokensRepeated: number; writesRefused: number }
  serve(child: ChildProcess): void
}

type Call = { readonly id: number } & (
  | { readonly op: 'watermark'; readonly scope: string }
  | { readonly op: 'get'; readonly scope: string; readonly keys: readonly string[] }
  | { readonly op: 'apply'; readonly write: StateWrite; readonly over: number | undefined }
  | { readonly op: 'insert'; readonly token: string; readonly rows: readonly string[] }
)

export const createSharedState = (): SharedState => {
  const scopes = new Map<string, { watermark: number; readonly documents: Map<string, unknown> }>()
  const tokens = new Set<string>()
  const rows = new Set<string>()
  const counts = { rowsTwice: 0, tokensRepeated: 0, writesRefused: 0 }

  const apply = ({ scope, watermark, puts }: StateWrite, over: number | undefined): boolean => {
    const stored = scopes.get(scope)?.watermark ?? 0
    if (watermark <= stored || (over !== undefined && over !== stored)) {
      counts.writesRefused++
      return false
    }
    const documents = scopes.get(scope)?.documents ?? new Map<string, unknown>()
    for (const [key, document] of puts) documents.set(key, document)
    scopes.set(scope, { watermark, documents })
    return true
  }
  const insert = (token: string, added: readonly string[]): true => {
    if (tokens.has(token)) counts.tokensRepeated++
    else {
      tokens.add(token)
      for (const row of added) {
        if (rows.has(row)) counts.rowsTwice++
        rows.add(row)
      }
    }
    return true
  }
  const answer = (call: Call): unknown => {
    switch (call.op) {
      case 'watermark':
        return scopes.get(call.scope)?.watermark ?? null
      case 'get':
        return call.keys.map((key) => scopes.get(call.scope)?.documents.get(key) ?? null)
      case 'apply':
        return apply(call.write, call.over)
      case 'insert':
        return insert(call.token, call.rows)
    }
  }
  return {
    watermark: (scope) => scopes.get(scope)?.watermark ?? null,
    get: (scope, key) => scopes.get(scope)?.documents.get(key),
    rows,
    counts,
    serve: (child) => void child.on('message', (call: Call) => child.connected && child.send({ id: call.id, value: answer(call) }, () => undefined)),
  }
}

export interface StateOfParent {
  readonly hot: HotStore
  insert(token: string, rows: readonly string[]): Promise<void>
}

/** In the child: the same over its channel. */
export const stateOfParent = (): StateOfParent => {
  const waiting = new Map<number, (value: unknown) => void>()
  let next = 0
  process.on('message', ({ id, value }: { id?: number; value: unknown }) => {
    if (id === undefined) return
    waiting.get(id)?.(value)
    waiting.delete(id)
  })
  const ask = (call: object): Promise<unknown> =>
    new Promise((resolve) => {
      const id = next++
      waiting.set(id, resolve)
      process.send!({ ...call, id })
    })
  const hot = {
    watermark: (scope: string) => ask({ op: 'watermark', scope }),
    get: (scope: string, keys: readonly string[]) => ask({ op: 'get', scope, keys }),
    apply: (write: StateWrite, over?: number) => ask({ op: 'apply', write, over }),
  } as unknown as HotStore
  return { hot, insert: async (token, rows) => void (await ask({ op: 'insert', token, rows })) }
}
