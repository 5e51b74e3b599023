import { createSystemClock } from '@millrace/adapters'
import type { EventLog } from '@millrace/ports'
import { standingClock } from '../replay/standing-clock.ts'
import { openLog } from '../replay/open-log.ts'
import { consumerGroups } from '../at-rest.ts'
import { ask } from './ask.ts'
import { readExposition, type Series } from './exposition.ts'
import { type Place, PLACE_HELP, placeOf, readFlags } from './place.ts'
import { table } from './table.ts'
import { type Verb } from './usage.ts'

/** How far one group is in one partition. */
export interface LagRow {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly position: number
  readonly end: number
  readonly lag: number
}

const HELP = `Usage: npm run ops -- lag [options]

How far each consumer group is in each partition: position, end, and records in between.
Of a stopped folder (--data-dir of one process) it reads the log itself.

${PLACE_HELP}  --json             the rows as JSON
`

export const lag: Verb = {
  help: HELP,
  run: async (args, terminal) => {
    const flags = readFlags(args, { json: { type: 'boolean' } })
    const place = await placeOf(flags, terminal.env)
    const { rows, faults } = place.folder === null ? await readLag(place) : { rows: await lagOfFolder(place.folder), faults: [] }
    const silent = missingGroups(rows)
    if (flags.json) terminal.out(JSON.stringify({ rows, missing: silent }))
    else terminal.out(table(['group', 'topic', 'partition', 'position', 'end', 'lag'], rows.map((row) => [row.group, row.topic, String(row.partition), row.position, row.end, row.lag])))
    for (const fault of faults) terminal.err(fault)
    if (silent.length > 0) terminal.err(`Nobody tells of ${silent.join(', ')}: name each process of the stack with --process, or see what npm run ops -- doctor says.`)
    return faults.length > 0 || silent.length > 0 ? 1 : 0
  },
}

export const missingGroups = (rows: readonly LagRow[]): readonly string[] =>
  Object.keys(consumerGroups).filter((group) => !rows.some((row) => row.group === group))

/** From all processes' figures: each copy tells of all partitions of its groups, the furthest reading is the newest. */
export const lagRows = (series: readonly Series[]): readonly LagRow[] => {
  const rows = new Map<string, LagRow>()
  const valueOf = (name: string, labels: Series['labels']): number | undefined =>
    series.find((one) => one.name === name && one.labels['group'] === labels['group'] && one.labels['topic'] === labels['topic'] && one.labels['partition'] === labels['partition'])?.value
  for (const { name, labels, value } of series) {
    if (name !== 'millrace_consumer_lag_records') continue
    const row = {
      group: labels['group'] ?? '', topic: labels['topic'] ?? '', partition: Number(labels['partition']),
      position: valueOf('millrace_consumer_position', labels) ?? NaN, end: valueOf('millrace_consumer_end', labels) ?? NaN, lag: value,
    }
    rows.set(keyOf(row), row)
  }
  return [...rows.values()].sort(inOrder)
}

/** One list of several processes' rows. */
export const newestRows = (lists: readonly (readonly LagRow[])[]): readonly LagRow[] => {
  const rows = new Map<string, LagRow>()
  for (const row of lists.flat()) {
    const other = rows.get(keyOf(row))
    if (!other || row.position > other.position || (row.position === other.position && row.end > other.end)) rows.set(keyOf(row), row)
  }
  return [...rows.values()].sort(inOrder)
}

export const keyOf = ({ group, topic, partition }: Pick<LagRow, 'group' | 'topic' | 'partition'>): string => `${group} ${topic}/${partition}`

const inOrder = (a: LagRow, b: LagRow): number =>
  a.group.localeCompare(b.group) || a.topic.localeCompare(b.topic) || a.partition - b.partition

/** Figures that were not there in a second come with a later reading. */
const TRIES_MAX = 5
const AGAIN_MS = 1_000

const readLag = async (place: Place): Promise<Read> => {
  const clock = createSystemClock()
  for (let tries = 1; ; tries++) {
    const read = await readOnce(place)
    if (read.faults.length > 0 || missingGroups(read.rows).length === 0 || tries === TRIES_MAX) return read
    await new Promise<void>((resolve) => void clock.after(AGAIN_MS, resolve))
  }
}

interface Read {
  readonly rows: readonly LagRow[]
  readonly faults: readonly string[]
}

const readOnce = async ({ processes }: Place): Promise<Read> => {
  const faults: string[] = []
  const lists = await Promise.all(processes.map(async ({ name, url }) => {
    try {
      return lagRows(readExposition((await ask(`${url}/metrics`)).text))
    } catch (error) {
      faults.push(`${name}: ${(error as Error).message}`)
      return []
    }
  }))
  return { rows: newestRows(lists), faults }
}

/** @throws StartFault when the folder is none, or a Millrace works in it */
const lagOfFolder = async (folder: string): Promise<readonly LagRow[]> => {
  const opened = await openLog(folder, standingClock())
  try {
    return await lagOfLog(opened.log)
  } finally {
    await opened.close()
  }
}

const lagOfLog = async (log: Pick<EventLog, 'extents' | 'committed'>): Promise<readonly LagRow[]> => {
  const rows: LagRow[] = []
  for (const [group, topics] of Object.entries(consumerGroups)) {
    for (const { name: topic } of topics) {
      for (const { partition, first, next } of await log.extents(topic)) {
        const { offset } = await log.committed(group, topic, partition)
        rows.push({ group, topic, partition, position: offset, end: next, lag: Math.max(0, next - Math.max(first, offset)) })
      }
    }
  }
  return rows.sort(inOrder)
}
