import { readFileSync } from 'node:fs'
import { createZone, personIdOf } from '@millrace/contracts'
import {
  analystViews,
  clockRow,
  createProjectViews,
  eventRow,
  flipRow,
  ledgerCountRow,
  profileRow,
  rejectedRow,
  repeatRow,
  ruleRow,
  type StoredProfile,
} from '@millrace/warehouse'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ColumnStore } from '@millrace/ports'
import { AT, event, line } from './builders.ts'
import { insertRows, openStore } from './store.ts'

let store: ColumnStore
beforeAll(async () => void (store = await openStore()))
afterAll(() => store.close())

const DAY = 86_400_000
const documented = (view: string): readonly (readonly [string, string])[] => {
  const text = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const section = text.split(`\n### ${view}\n`)[1]!.split('\n### ')[0]!
  return [...section.matchAll(/^\| (\w+) \| (.+?) \|/gm)].slice(1).map((row) => [row[1]!, row[2]!] as const)
}

describe('the views', () => {
  it.each(analystViews)('%s has exactly the documented columns and types', async (view) => {
    const columns = await store.query<{ name: string; type: string }>(`DESCRIBE TABLE millrace.${view}`)
    expect(columns.map(({ name, type }) => [name, type])).toEqual(documented(view))
  })

  it('of one project have the same columns', async () => {
    await createProjectViews(store, 7)
    for (const view of analystViews) {
      expect(await store.query(`DESCRIBE TABLE millrace_p7.${view}`)).toEqual(await store.query(`DESCRIBE TABLE millrace.${view}`))
    }
  })

  it('tell the stage of each person as of the clock of the data', async () => {
    const person = (id: string, fields: Partial<StoredProfile>): string =>
      profileRow({ project: 3, person: personIdOf(3, id), version: 1, gone: false, userId: id, anonymousIds: [], identities: [], traits: {}, firstSeen: AT, lastSeen: AT, consent: {}, document: {}, ...fields })
    await insertRows(store, 'clock', [clockRow(0, AT - 5), clockRow(1, AT)], 'c1')
    await insertRows(store, 'profiles', [
      person('new', { firstSeen: AT - 30 * DAY }), person('active', { firstSeen: AT - 31 * DAY }), person('loyal', { firstSeen: AT - 181 * DAY }),
      person('dormant', { firstSeen: AT - 200 * DAY, lastSeen: AT - 31 * DAY }), person('churned', { firstSeen: AT - 200 * DAY, lastSeen: AT - 91 * DAY }),
      person('potential', { userId: null, anonymousIds: ['a'] }), person('merged', {}),
    ], 'p1')
    await insertRows(store, 'profiles', [person('merged', { version: 2, gone: true })], 'p2')
    const people = await store.query<{ stage: string; id: string }>('SELECT lifecycle_stage AS stage, user_id AS id FROM millrace.people WHERE project = 3 ORDER BY stage')
    expect(people.map(({ stage, id }) => [stage, id])).toEqual(
      [['active', 'active'], ['churned', 'churned'], ['dormant', 'dormant'], ['loyal', 'loyal'], ['new', 'new'], ['potential', '']])
  })

  it('hold members, sizes and the newest version of a rule', async () => {
    const flip = (person: string, number: number, at: number): string =>
      flipRow(3, { type: 'flip', segment: 's', version: 1, person: personIdOf(3, person), flip: number % 2 ? 'entered' : 'exited', at, number, cause: 'event' }, [0, number, 0])
    await insertRows(store, 'flips', [flip('in', 1, AT), flip('out', 1, AT), flip('out', 2, AT + 1), flip('back', 1, AT), flip('back', 2, AT), flip('back', 3, AT + 9)], 'f1')
    const rule = (version: number, name: string, segment: string, deleted = false): string =>
      ruleRow(3, { type: 'rule.changed', segment, version, name, rule: deleted ? null : { all: [] }, at: AT + version })
    await insertRows(store, 'rules', [rule(1, 'old', 's'), rule(2, 'new name', 's'), rule(1, 'gone', 'g'), rule(2, 'gone', 'g', true), rule(1, 'empty', 'e')], 'r1')
    expect(await store.query('SELECT person_id, toUnixTimestamp64Milli(entered_at) AS at FROM millrace.memberships WHERE project = 3 ORDER BY at')).toEqual([
      { person_id: personIdOf(3, 'in'), at: AT }, { person_id: personIdOf(3, 'back'), at: AT + 9 }])
    expect(await store.query('SELECT segment_id, name, version, rule, size FROM millrace.segments WHERE project = 3 ORDER BY segment_id')).toEqual([
      { segment_id: 'e', name: 'empty', version: 1, rule: '{"all":[]}', size: 0 }, { segment_id: 's', name: 'new name', version: 2, rule: '{"all":[]}', size: 2 }])
  })

  it('count the ledger by source and hour', async () => {
    const origin = { source: 'web', protocol: 'segment', receivedAt: AT, sentAt: null }
    await insertRows(store, 'events', [1, 2].map((n) => eventRow(event({ project: 3, messageId: `l${n}`, receivedAt: AT }), line(), createZone('UTC').day)), 'l1')
    await insertRows(store, 'rejected', [rejectedRow(3, origin, { code: 'BAD', detail: '', bytes: '', messageId: null }, [0, 0, 0], 'r1')], 'l2')
    await insertRows(store, 'repeats', [repeatRow(3, { ...origin, events: 2, repeats: 3 }, [0, 0])!], 'l3')
    const counted = { project: 3, source: 'web', hour: AT, received: 5, pending: 2 }
    await insertRows(store, 'ledger_counts', [ledgerCountRow({ ...counted, version: 1 }), ledgerCountRow({ ...counted, received: 7, pending: 1, version: 2 })], 'l4')
    expect(await store.query('SELECT * FROM millrace.ledger WHERE project = 3')).toEqual([
      { project: 3, source: 'web', hour: '2024-01-15 12:00:00', received: 7, stored: 2, rejected: 1, duplicate: 3, erased: 0, pending: 1 }])
  })
})
