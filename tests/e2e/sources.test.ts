import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { eventually, startMillrace, type Millrace } from '../support/millrace.ts'

interface Source {
  readonly name: string
  readonly writeKey: string
  readonly keys: readonly { readonly id: string; readonly expiresAt: string | null; readonly revokedAt: string | null }[]
}
interface Activity {
  readonly counts: { readonly received: number; readonly stored: number; readonly rejected: number; readonly pending: number }
  readonly accepted: readonly { readonly event: string }[]
  readonly rejected: readonly { readonly code: string }[]
}

describe('sources and their keys', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-sources-'))
  let millrace: Millrace
  const start = async (): Promise<Millrace> => (millrace = await startMillrace({ dataDir: join(folder, 'data') }))
  afterAll(async () => {
    await millrace?.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const send = async (key: string, batch: readonly object[], headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(`${millrace.url}/v1/batch`, { method: 'POST', headers, body: JSON.stringify({ writeKey: key, batch }) })).status
  /** Another copy refuses a key within its time of refreshing. An empty batch asks and counts as nothing. */
  const refused = (key: string): Promise<number> => eventually(() => send(key, []), (status) => status === 401, 15_000)
  const event = { type: 'track', event: 'Seen', anonymousId: 'a1' }
  const settled = (name: string, received: number): Promise<Activity> =>
    eventually(() => millrace.api<Activity>(`/api/sources/${name}/activity`), ({ counts }) => counts.received >= received && counts.pending === 0)

  it('are made, counted by the ledger, kept to their pages, rotated and revoked, also over a restart', async () => {
    await start()
    const web = await millrace.api<Source>('/api/sources', { name: 'web', allowedOrigins: ['https://shop.example'] })
    expect(await send(web.writeKey, [event, event, { type: 'track', anonymousId: 'a1' }], { origin: 'https://shop.example' })).toBe(200)
    expect(await send(web.writeKey, [event], { origin: 'https://evil.example' })).toBe(403)
    const activity = await settled('web', 3)
    expect(activity).toMatchObject({ counts: { received: 3, stored: 2, rejected: 1 }, accepted: [{ event: 'Seen' }, { event: 'Seen' }], rejected: [{ code: 'EVENT_NAME_MISSING' }] })
    expect((await settled('default', 0)).counts.received).toBe(0)

    const rotated = await millrace.api<Source>('/api/sources/web/rotate', { graceMs: 86_400_000 })
    expect([await send(web.writeKey, [event]), await send(rotated.writeKey, [event])]).toEqual([200, 200])
    await millrace.api(`/api/sources/web/keys/${rotated.keys[0]!.id}`, undefined, 'DELETE')
    await refused(web.writeKey)
    expect(await send(rotated.writeKey, [event])).toBe(200)

    const first = await millrace.api<Source>('/api/sources/default/rotate', { graceMs: 0 })
    await refused(millrace.writeKey)
    expect(await send(first.writeKey, [event])).toBe(200)
    await millrace.stop()
    await start()
    // It was told to take the old key again: that one stays dead, and the start shows the one that works.
    expect([await send(millrace.writeKey, [event]), await send(first.writeKey, [event]), await send(web.writeKey, [event])]).toEqual([401, 200, 401])
    expect(millrace.output()).toContain(first.writeKey)
    const { sources } = await millrace.api<{ sources: readonly Source[] }>('/api/sources')
    expect(sources.find(({ name }) => name === 'default')!.keys).toHaveLength(2)
    expect((await settled('web', 6)).counts).toMatchObject({ received: 6, stored: 5, rejected: 1 })
  })
})
