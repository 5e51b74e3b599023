import { resolve } from 'node:path'
import { activeKafkaGroups } from '@millrace/adapters'
import type { ColumnStore, EventLog } from '@millrace/ports'
import { type Month, rebuildEventDay } from '@millrace/warehouse'
import { createStack, topicSettings, type StackConfig } from '@millrace/wiring'
import { consumerGroups } from '../at-rest.ts'
import { StartFault } from '../folder/fault.ts'
import { openFolder } from '../folder/open-folder.ts'
import { requireFolder } from '../replay/open-log.ts'
import { standingClock } from '../replay/standing-clock.ts'
import { finishFolder } from '../replay/programs.ts'
import { stackOfEnv, stackOfFolder } from '../stack/where.ts'
import { readFlags } from './place.ts'
import { type Verb, WrongUsage } from './usage.ts'

const HELP = `Usage: npm run ops -- rebuild --month 2026-03 [--data-dir FOLDER]

Makes a month of the daily aggregates (event_day) anew from the raw events, aside, and swaps it in.
Nobody may store events meanwhile: an insert between reading and swapping would be lost. So of one process the folder
is a stopped one, and what it has not handled yet is handled first; of a stack all copies of metrics are stopped
(docker compose stop metrics), while events go on coming in. Exit code 1 when a row differs from the raw events afterwards.

  --month YYYY-MM    of the project's days
  --data-dir FOLDER  data folder of npm start, or of a running npm run stack; without it the stack is meant
                     that KAFKA_BROKERS, REDIS_URLS and CLICKHOUSE_URL name
`

export const rebuild: Verb = {
  help: HELP,
  run: async (args, { out, env }) => {
    const flags = readFlags(args, { month: { type: 'string' } })
    const month = monthOf(flags.month ?? '')
    const columns = await openColumns(flags['data-dir'], env)
    if (columns === null) return 1
    try {
      const { partitions, differed, differ } = await rebuildEventDay(columns.columns, month)
      out(`Rebuilt ${flags.month} of ${partitions} ${partitions === 1 ? 'project' : 'projects'}: ${differed} rows differed from the raw events, now ${differ}.`)
      return differ === 0 ? 0 : 1
    } finally {
      await columns.close()
    }
  },
}

interface Opened {
  readonly columns: ColumnStore
  close(): Promise<void>
}

/** A warehouse that nobody writes to; null when a folder could not be brought to the end of its log, which was told. @throws WrongUsage, StartFault */
const openColumns = async (dataDir: string | undefined, env: Parameters<typeof stackOfEnv>[0]): Promise<Opened | null> => {
  const folder = dataDir === undefined ? null : resolve(dataDir)
  const config = folder === null ? stackOfEnv(env) : await stackOfFolder(folder)
  if (config) return openStack(config)
  if (folder === null) throw new WrongUsage('name the stopped folder: --data-dir FOLDER, or a stack by KAFKA_BROKERS, REDIS_URLS and CLICKHOUSE_URL')
  await requireFolder(folder)
  if ((await finishFolder(folder)) !== 0) return null
  const { ports, close } = await openFolder({ dataDir: folder, sync: 'disk' }, { clock: standingClock() })
  return { columns: ports.columns, close }
}

const openStack = async (config: StackConfig): Promise<Opened> => {
  const active = await activeKafkaGroups(config.KAFKA_BROKERS, topicSettings(config), ['sink'])
  if (active.length > 0) throw new StartFault('metrics runs and stores events: stop all its copies, then try again.')
  const { log, columns, close } = await createStack({ config, needsColumns: true })
  try {
    await requireWholeBatches(log)
    return { columns, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A copy that was killed may have left a batch half stored; it is known by its tokens, which a swap would take away. */
const requireWholeBatches = async (log: Pick<EventLog, 'extents' | 'committed'>): Promise<void> => {
  for (const { name } of consumerGroups.sink) {
    for (const { partition } of await log.extents(name)) {
      const { metadata } = await log.committed('sink', name, partition)
      if (metadata !== '') throw new StartFault(`A batch of ${name}/${partition} is half stored: start metrics, which stores the rest, and stop it again.`)
    }
  }
}

/** @throws WrongUsage */
const monthOf = (text: string): Month => {
  const [, year, month] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text) ?? []
  if (year === undefined) throw new WrongUsage(`--month ${text}: must be such as 2026-03`)
  return { year: Number(year), month: Number(month) }
}
