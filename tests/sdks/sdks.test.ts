import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type Golden, type StoredEvent, storedIn } from '../../services/ingest/test/golden.ts'
import { tableOf } from '../../services/ingest/test/golden-table.ts'
import { setUp } from '../../services/ingest/test/set-up.ts'
import { skipped } from '../support/requirements.ts'
import { root } from '../tidy/source-tree.ts'
import { CHROMIUM } from './browser.ts'
import { cases } from './cases/index.ts'
import { lackOf, runProgram } from './programs.ts'
import { startRecorder } from './recorder.ts'
import { nameOf, type SdkCase } from './sdk-case.ts'

/** An SDK is installed from its registry and may take a minute: `npm run sdks`. What they sent is replayed by each `npm test`. */
const LONG = process.env['MILLRACE_LONG'] === '1'
const QUIET_MS = 1_500
const ran: Golden[] = []

const run = async (sdk: SdkCase): Promise<Golden> => {
  const system = await setUp()
  const target = await system.http.listen({ host: '127.0.0.1', port: 0 })
  const recorder = await startRecorder(target, (at) => (system.time.at = at))
  try {
    await runProgram(sdk, { url: recorder.url, writeKey: sdk.writeKey ?? 'wk' })
    await recorder.quiet(QUIET_MS)
  } finally {
    await recorder.close()
    system.http.server.closeAllConnections()
    await system.http.close()
  }
  const { protocol, version, runtime, sent } = sdk
  return { protocol, sdk: nameOf(sdk), version, runtime, sent, exchanges: [...recorder.exchanges], ...storedIn(system.log, system.project, system.givenIds) }
}

const expectStored = (stored: readonly StoredEvent[], sdk: SdkCase): void => {
  for (const wanted of sdk.stored) if (!stored.some((event) => matches(event, wanted))) expect(stored).toContainEqual(wanted)
  const beside = stored.filter((event) => !sdk.stored.some((wanted) => matches(event, wanted))).map(({ event }) => event)
  expect(beside.filter((event) => !(sdk.more ?? []).includes(event))).toEqual([])
}

const matches = (event: StoredEvent, wanted: Partial<StoredEvent>): boolean => {
  try {
    expect(event).toMatchObject(wanted)
    return true
  } catch {
    return false
  }
}

describe.skipIf(!LONG)('unchanged SDKs', () => {
  afterAll(() => process.stdout.write(`\n${tableOf(ran)}\n`))
  it.each(cases.map((sdk) => [`${sdk.protocol}: ${nameOf(sdk)} ${sdk.version} (${sdk.runtime})`, sdk] as const))('%s delivers what it was told', async (title, sdk) => {
    const lack = sdk.runtime === 'browser' && !existsSync(CHROMIUM) ? `there is no Chromium at ${CHROMIUM}` : await lackOf(sdk.runtime)
    if (skipped(sdk.runtime === 'browser' ? ['chromium'] : [], title, lack)) return
    const golden = await run(sdk)
    ran.push(golden)
    if (process.env['MILLRACE_RECORD'] === '1') {
      writeFileSync(join(root, 'services/ingest/test/golden', `${sdk.protocol}.${nameOf(sdk)}.json`), `${JSON.stringify(golden, null, 1)}\n`)
    }
    expectStored(golden.stored, sdk)
    expect(new Set(golden.stored.map(({ protocol }) => protocol))).toEqual(new Set([sdk.protocol]))
    expect(golden.rejected).toEqual([])
  })
})
