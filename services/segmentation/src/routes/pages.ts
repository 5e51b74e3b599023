import { ProblemError } from '@millrace/contracts'
import type { ColumnStore } from '@millrace/ports'
import { instant, quoted, unsigned, uuid } from '@millrace/warehouse'
import type { z } from 'zod'
import { iso } from './answers.ts'
import type { flipsQuery, membersQuery } from './schemas.ts'

/** Members from the flips in the warehouse: the last flip of a person is an entry. In the order of ClickHouse's UUIDs. */
export const membersPage = async (columns: ColumnStore, project: number, segment: string, { limit, after }: z.infer<typeof membersQuery>) => {
  const sql = `SELECT toString(person) AS personId, toUnixTimestamp64Milli(argMax(at, number)) AS enteredAt, argMax(cause, number) AS lastCause
FROM millrace_store.flips WHERE project = ${unsigned(project)} AND segment = ${quoted(segment)}${after ? ` AND person > ${uuid(after)}` : ''}
GROUP BY person HAVING argMax(flip, number) = 'entered' ORDER BY person LIMIT ${unsigned(limit + 1)}`
  const rows = await columns.query<{ personId: string; enteredAt: number | string; lastCause: string }>(sql)
  const members = rows.slice(0, limit).map(({ personId, enteredAt, lastCause }) => ({ personId, enteredAt: iso(Number(enteredAt)), cause: lastCause }))
  return { members, next: rows.length > limit ? members.at(-1)!.personId : null, sql }
}

/** Entries and exits, oldest first. */
export const flipsPage = async (columns: ColumnStore, project: number, segment: string, query: z.infer<typeof flipsQuery>) => {
  const conditions = [`project = ${unsigned(project)}`, `segment = ${quoted(segment)}`]
  if (query.personId) conditions.push(`person = ${uuid(query.personId)}`)
  if (query.after) conditions.push(behind(query.after))
  const sql = `SELECT toString(person) AS personId, flip, toUnixTimestamp64Milli(at) AS ms, number, version, cause
FROM millrace_store.flips WHERE ${conditions.join(' AND ')} ORDER BY at, person, number LIMIT ${unsigned(query.limit + 1)}`
  const rows = await columns.query<{ personId: string; flip: string; ms: number | string; number: number; version: number; cause: string }>(sql)
  const shown = rows.slice(0, query.limit)
  const last = shown.at(-1)
  const next = rows.length > query.limit && last ? `${Number(last.ms)}.${last.personId}.${last.number}` : null
  return { flips: shown.map(({ ms, ...row }) => ({ ...row, at: iso(Number(ms)) })), next, sql }
}

const behind = (cursor: string): string => {
  const [at, person, number] = cursor.split('.')
  if (!/^\d{1,15}$/.test(at ?? '') || !/^[0-9a-f-]{36}$/.test(person ?? '') || !/^\d{1,9}$/.test(number ?? '')) {
    throw new ProblemError('BAD_REQUEST', '`after` is the `next` of the page before')
  }
  return `(at, person, number) > (${instant(Number(at))}, ${uuid(person!)}, ${unsigned(Number(number))})`
}
