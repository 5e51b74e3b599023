import type { ColumnStore } from '@millrace/ports'
import { STORE_DATABASE } from './migrate.ts'
import { unsigned } from './sql/literal.ts'

type Store = Pick<ColumnStore, 'query' | 'command'>

export interface Rebuilt {
  /** Partitions that were put in the place of others. */
  readonly partitions: number
  /** Rows of the month (event, day, …) that differed from the raw events before. */
  readonly differed: number
  /** And afterwards: 0. */
  readonly differ: number
}

/** Year and month of a project's days. */
export interface Month {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
}

const TABLE = `${STORE_DATABASE}.event_day`
const ASIDE = `${STORE_DATABASE}.event_day_rebuilt`
const COLUMNS = 'project, event, day, nobody, currency, numbers, events, revenue'
/** Equal blocks of a table that keeps tokens would else be taken for repeats. */
const EACH_ROW = 'SETTINGS insert_deduplicate = 0'

/**
 * Makes a month of `event_day` anew from the raw events, aside, and puts each whole partition (project, year) in the place of the
 * old one at once. What is inserted into the table meanwhile would be lost with the old partition, and so would the tokens of its
 * inserts: nobody may write, and no batch may be half stored, from before the call until it resolves.
 */
export const rebuildEventDay = async (columns: Store, at: Month): Promise<Rebuilt> => {
  const feed = await feedOf(columns)
  const differed = await differences(columns, feed, at)
  const projects = await projectsOf(columns, at)
  await columns.command(`DROP TABLE IF EXISTS ${ASIDE} SYNC`)
  await columns.command(`CREATE TABLE ${ASIDE} AS ${TABLE}`)
  for (const project of projects) {
    const others = `SELECT ${COLUMNS} FROM ${TABLE} WHERE project = ${unsigned(project)} AND toYear(day) = ${unsigned(at.year)} AND NOT (${within(at)})`
    await columns.command(`INSERT INTO ${ASIDE} (${COLUMNS}) ${others} ${EACH_ROW}`)
    await columns.command(`INSERT INTO ${ASIDE} (${COLUMNS}) ${feed(`project = ${unsigned(project)} AND ${within(at)}`)} ${EACH_ROW}`)
    await swapIn(columns, project, at)
  }
  await columns.command(`DROP TABLE ${ASIDE} SYNC`)
  return { partitions: projects.length, differed, differ: await differences(columns, feed, at) }
}

/** Newer engines refuse to put an empty partition in the place of a full one. */
const swapIn = async (columns: Store, project: number, { year }: Month): Promise<void> => {
  const partition = `PARTITION (${unsigned(project)}, ${unsigned(year)})`
  const [row] = await columns.query<{ n: number | string }>(`SELECT count() AS n FROM ${ASIDE} WHERE project = ${unsigned(project)}`)
  await columns.command(`ALTER TABLE ${TABLE} ${Number(row?.n) === 0 ? `DROP ${partition}` : `REPLACE ${partition} FROM ${ASIDE}`}`)
}

const within = ({ year, month }: Month): string => `toYYYYMM(day) = ${unsigned(year * 100 + month)}`

/** What fills the table from new events, over those that a condition names: one definition, no second one here. */
const feedOf = async (columns: Store): Promise<(condition: string) => string> => {
  const [row] = await columns.query<{ sql: string }>(`SELECT as_select AS sql FROM system.tables WHERE database = '${STORE_DATABASE}' AND name = 'event_day_feed'`)
  const parts = row?.sql.split(`FROM ${STORE_DATABASE}.events`) ?? []
  if (parts.length !== 2) throw new Error(`the view event_day_feed does not read ${STORE_DATABASE}.events once: ${row?.sql ?? 'it is not there'}`)
  return (condition) => parts.join(`FROM (SELECT * FROM ${STORE_DATABASE}.events WHERE ${condition}) AS events`)
}

const projectsOf = async (columns: Store, at: Month): Promise<readonly number[]> => {
  const rows = await columns.query<{ project: number }>(
    `SELECT DISTINCT project FROM (SELECT project FROM ${STORE_DATABASE}.events WHERE ${within(at)} UNION ALL SELECT project FROM ${TABLE} WHERE ${within(at)}) ORDER BY project`)
  return rows.map(({ project }) => Number(project))
}

/** Rows that differ in a count, in money or in who is in the bitmap: those of equal bitmaps have nothing left when one is taken out of the other. */
const differences = async (columns: Store, feed: (condition: string) => string, at: Month): Promise<number> => {
  const side = (sign: number, from: string): string =>
    `SELECT project, toString(event) AS event, day, nobody, toString(currency) AS currency, groupBitmapMergeState(numbers) AS people,` +
    ` ${sign} * toInt64(sum(events)) AS n, ${sign} * sum(revenue) AS money FROM (${from}) GROUP BY project, event, day, nobody, currency`
  const [row] = await columns.query<{ n: number | string }>(
    `SELECT count() AS n FROM (SELECT 1 FROM (${side(1, `SELECT * FROM ${TABLE} WHERE ${within(at)}`)} UNION ALL ${side(-1, feed(within(at)))})` +
      ` GROUP BY project, event, day, nobody, currency HAVING sum(n) != 0 OR sum(money) != 0 OR groupBitmapXor(people) != 0)`)
  return Number(row?.n ?? 0)
}
