import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bodyOf, GOLDEN_FOLDER, readGoldens, storedIn } from './golden.ts'
import { tableOf } from './golden-table.ts'
import { setUp } from './set-up.ts'

const README = join(import.meta.dirname, '../../../tests/sdks/README.md')
const MARK = '<!-- table: written by this test with MILLRACE_RECORD=1 -->\n'
const goldens = readGoldens()

/** After a mapping was changed: what is stored of the same requests is written again, to be read as a diff. */
const AGAIN = process.env['MILLRACE_RECORD'] === '1'

describe('what real SDKs sent', () => {
  it.each(goldens)('$protocol: $sdk $version ($runtime) is answered and stored as recorded', async (golden) => {
    const { http, time, log, project, givenIds } = await setUp()
    for (const exchange of golden.exchanges) {
      const { at, method, url, headers, status } = exchange
      time.at = at
      const payload = bodyOf(exchange)
      const answer = await http.inject({ method: method as 'POST', url, headers, ...(payload.length > 0 ? { payload } : {}) })
      expect([method, url, answer.statusCode]).toEqual([method, url, status])
    }
    const found = storedIn(log, project, givenIds)
    if (AGAIN) writeFileSync(join(GOLDEN_FOLDER, `${golden.protocol}.${golden.sdk}.json`), `${JSON.stringify({ ...golden, ...found }, null, 1)}\n`)
    // Through JSON: what is undefined is absent there.
    else expect(JSON.parse(JSON.stringify(found))).toEqual({ stored: golden.stored, rejected: golden.rejected })
  })

  it('are the table of the README', () => {
    const table = tableOf(goldens)
    process.stdout.write(`${table}\n`)
    const readme = readFileSync(README, 'utf8')
    if (AGAIN) writeFileSync(README, `${readme.slice(0, readme.indexOf(MARK) + MARK.length)}${table}\n`)
    expect(readFileSync(README, 'utf8')).toContain(`${MARK}${table}\n`)
  })
})
