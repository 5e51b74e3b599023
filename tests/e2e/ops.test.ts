import { beforeAll, describe, expect, it } from 'vitest'
import { settledLedger } from '../support/ledger.ts'
import type { Millrace } from '../support/millrace.ts'
import { runProgram, type Ran } from '../support/program.ts'
import { millraceForAll } from '../support/running.ts'

describe('npm run ops over a running Millrace', () => {
  const running = millraceForAll()
  const ops = (verb: string, ...args: readonly string[]): Promise<Ran> => {
    const { url, apiKey } = running.millrace
    return runProgram('ops/main.js', [verb, '--url', url, '--api-key', apiKey, ...args])
  }
  beforeAll(async () => {
    await send(running.millrace)
  })

  it('lag: every consumer at rest, as a table and as JSON', async () => {
    const { code, text } = await ops('lag', '--json')
    const { rows, missing } = JSON.parse(text) as { rows: { group: string; topic: string; position: number; end: number; lag: number }[]; missing: string[] }
    expect({ code, missing }).toEqual({ code: 0, missing: [] })
    const resolve = rows.filter(({ group }) => group === 'resolve')
    expect(resolve).toHaveLength(4)
    expect(resolve.reduce((sum, { position }) => sum + position, 0)).toBeGreaterThan(0)
    for (const { position, end, lag } of rows) expect(lag).toBe(end - position)
    expect((await ops('lag')).text).toMatch(/^group +topic +partition +position +end +lag\n/)
  })

  it('ledger: what came by source and hour, and that nothing is missing', async () => {
    const { code, text } = await ops('ledger')
    expect(code).toBe(0)
    expect(text).toContain('The ledger balances.')
    expect(text).toMatch(/^all +6 +2 +3 +1 +0 +0 +0$/m)
    expect(JSON.parse((await ops('ledger', '--json', '--from', '2020-01-01')).text)).toMatchObject({ difference: 0, total: { received: 6 } })
  })

  it('doctor: nothing is wrong, and a process that is away is', async () => {
    const sound = await ops('doctor', '--watch', '1', '--data-dir', running.millrace.dataDir)
    expect(sound.text).toContain('Nothing is wrong.')
    expect(sound.code).toBe(0)
    const away = await runProgram('ops/main.js', ['doctor', '--watch', '1', '--url', 'http://127.0.0.1:9'])
    expect(away).toMatchObject({ code: 1, text: expect.stringContaining('does not answer') })
  })

  it('replay: counts, sends what can be sent under its own id, and makes only repeats when run again', async () => {
    const args = ['--write-key', running.millrace.writeKey, '--json']
    expect(JSON.parse((await ops('replay', '--dry-run', '--json')).text)).toMatchObject({ found: 3, events: 2, unreadable: 1, accepted: 0 })
    expect(JSON.parse((await ops('replay', '--dry-run', '--json', '--code', 'NOT_JSON')).text)).toMatchObject({ found: 1, events: 0 })
    // Nothing was mended: what is refused again is said, and is not more the next time.
    const again = await ops('replay', ...args)
    expect(again.code).toBe(1)
    expect(JSON.parse(again.text)).toMatchObject({ found: 3, events: 2, accepted: 0, refused: 2, reasons: { TYPE_UNKNOWN: 1, EVENT_NAME_MISSING: 1 } })
    await settledLedger(running.millrace, 8)
    expect(JSON.parse((await ops('replay', ...args)).text)).toMatchObject({ found: 5, events: 2, again: 2, refused: 2 })
  })

  it('ends with code 2 and one sentence when it is called wrongly', async () => {
    for (const args of [['fly'], ['lag', '--no-such'], ['ledger', '--from', 'yesterday', '--api-key', 'x'], ['lag', '--url', 'ftp://a'], ['ledger']])
      expect(await runProgram('ops/main.js', args, { MILLRACE_API_KEY: '' })).toMatchObject({ code: 2, text: expect.stringMatching(/^[^\n]+\n$/) })
    expect(await ops('--help')).toMatchObject({ code: 0 })
  })
})

/** Two events, one of them twice, two bad ones, and a body that is no JSON. */
const send = async (millrace: Millrace): Promise<void> => {
  const event = { type: 'track', event: 'Viewed', messageId: 'm-1', userId: 'u-1' }
  await millrace.send([event, { ...event, messageId: 'm-2' }])
  await millrace.send([event, { ...event, type: 'none', messageId: 'm-3' }, { type: 'track', userId: 'u-2' }])
  await fetch(`${millrace.url}/v1/batch`, { method: 'POST', body: '{"batch":', headers: { authorization: `Basic ${btoa(`${millrace.writeKey}:`)}` } })
  await settledLedger(millrace, 6)
}
