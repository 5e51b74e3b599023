import { readFileSync } from 'node:fs'
import type { ColumnStore } from '@millrace/ports'
import { unsigned } from './sql/literal.ts'
import { personIdSql } from './sql/person.ts'
import { propertiesSql } from './sql/properties.ts'

/** The views that analysts may rely on, by name. */
export const analystViews = [
  'events',
  'people',
  'identities',
  'segments',
  'memberships',
  'flips',
  'ledger',
] as const
export type AnalystView = (typeof analystViews)[number]

/** Text of a view over the rows that `scope` lets through: `1` for all projects, `project = 7` for one. */
export const viewSql = (view: AnalystView, scope: string): string =>
  readFileSync(new URL(`../views/${view}.sql`, import.meta.url), 'utf8')
    .replaceAll('{scope}', () => scope)
    .replaceAll('{person_id}', () => personIdSql())
    .replaceAll('{properties}', () => propertiesSql())
    .trim()

/** The database whose views show one project and nothing else. */
export const projectDatabase = (project: number): string => `millrace_p${unsigned(project)}`

/** Makes or renews the views of one project. Safe to repeat. */
export const createProjectViews = async (columns: ColumnStore, project: number): Promise<void> => {
  const database = projectDatabase(project)
  await columns.command(`CREATE DATABASE IF NOT EXISTS ${database}`)
  for (const view of analystViews) {
    await columns.command(`CREATE OR REPLACE VIEW ${database}.${view} AS ${viewSql(view, `project = ${unsigned(project)}`)}`)
  }
}
