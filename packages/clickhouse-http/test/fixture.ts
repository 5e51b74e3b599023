import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChdbStore } from '@millrace/adapters'
import { createClickHouseServer, type ClickHouseHttpConfig } from '@millrace/clickhouse-http'
import type { ColumnStore } from '@millrace/ports'
import {
  eventRow,
  flipRow,
  ledgerCountRow,
  migrate,
  numberRow,
  profileRow,
  reloadNumbers,
  repeatRow,
  ruleRow,
  STORE_DATABASE,
} from '@millrace/warehouse'
import { type CanonicalEvent, createZone, personIdOf } from '@millrace/contracts'

export const AT = Date.UTC(2024, 0, 15, 12, 34, 56, 789)
export const KEYS: Readonly<Record<string, number>> = { 'key-one': 1, 'key-two': 2 }

export interface Fixture {
  readonly columns: ColumnStore
  readonly url: string
  close(): Promise<void>
}

/** Two projects with rows of every table; a row of project 2 always holds the word `secret`. */
export const openFixture = async (config?: ClickHouseHttpConfig): Promise<Fixture> => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-http-'))
  const columns = createChdbStore({ path })
  await migrate(columns)
  for (const project of [1, 2]) await fill(columns, project, project === 1 ? 'open' : 'secret')
  await reloadNumbers(columns, 'delta')
  let counter = 0
  const server = createClickHouseServer(
    {
      columns,
      ids: {
        uuid: () => `00000000-0000-4000-8000-${String((counter += 1)).padStart(12, '0')}`,
        secret: (bytes) => String((counter += 1)).padStart(bytes * 2, 'f'),
      },
      authenticate: (password) => KEYS[password] ?? null,
      logger: { warn: () => {} },
    },
    config,
  )
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  return {
    columns,
    url,
    close: async () => {
      await server.close()
      await columns.close()
      rmSync(path, { recursive: true, force: true })
    },
  }
}

const event = (project: number, word: string, n: number): CanonicalEvent => ({
  project, messageId: `${word}-${n}`, type: 'track', event: `${word} event`, userId: `${word}-user`, anonymousId: null,
  previousId: null, groupId: null, timestamp: AT, originalTimestamp: null, sentAt: null, receivedAt: AT, source: word,
  protocol: 'segment', sessionId: '', channel: word, properties: { word, n }, traits: {}, traitOps: null, context: { word }, revenue: '1', currency: 'USD',
})

const fill = async (columns: ColumnStore, project: number, word: string): Promise<void> => {
  const insert = (table: string, rows: readonly string[]): Promise<void> =>
    columns.insert({ table: `${STORE_DATABASE}.${table}`, rows: Buffer.from(`${rows.join('\n')}\n`), token: `${table}${project}` })
  const key = `user_id:${word}-user`
  const person = personIdOf(project, key)
  const dayOf = createZone('UTC').day
  await insert('events', Array.from({ length: 10 }, (_, n) => eventRow(event(project, word, n), { key, number: 64, place: [0, project, n] }, dayOf)))
  await insert('numbers', [numberRow(project, { type: 'number.mapped', number: 64, key, person: personIdOf(project, `user_id:${word}-merged`), personNumber: 128, linkedAt: AT, version: 1 })])
  await insert('profiles', [profileRow({ project, person, version: 1, gone: false, userId: `${word}-user`, anonymousIds: [word], identities: [{ type: 'user_id', value: word }], traits: { word }, firstSeen: AT, lastSeen: AT, consent: {}, document: {} })])
  await insert('rules', [ruleRow(project, { type: 'rule.changed', segment: `${word}-segment`, version: 1, name: word, rule: { all: [] }, at: AT })])
  await insert('flips', [flipRow(project, { type: 'flip', segment: `${word}-segment`, version: 1, person, flip: 'entered', at: AT, number: 1, cause: 'event' }, [0, project, 0])])
  await insert('ledger_counts', [ledgerCountRow({ project, source: word, hour: AT, received: 11, pending: 0, version: 1 })])
  await insert('repeats', [repeatRow(project, { source: word, protocol: 'segment', receivedAt: AT, sentAt: null, events: 10, repeats: 1 }, [0, project])!])
}

export const ask = (url: string, sql: string, init: { key?: string; query?: string; signal?: AbortSignal } = {}): Promise<Response> =>
  fetch(`${url}/?${init.query ?? ''}`, {
    method: 'POST', body: sql, signal: init.signal ?? null,
    headers: { Authorization: `Basic ${Buffer.from(`analyst:${init.key ?? 'key-one'}`).toString('base64')}` },
  })
