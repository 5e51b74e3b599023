import { resolve } from 'node:path'
import { type Month, rebuildEventDay } from '@millrace/warehouse'
import { openFolder } from '../folder/open-folder.ts'
import { requireFolder } from '../replay/open-log.ts'
import { standingClock } from '../replay/standing-clock.ts'
import { finishFolder } from '../replay/programs.ts'
import { readFlags } from './place.ts'
import { type Verb, WrongUsage } from './usage.ts'

const HELP = `Usage: npm run ops -- rebuild --month 2026-03 --data-dir FOLDER

Makes a month of the daily aggregates (event_day) anew from the raw events, aside, and swaps it in.
Of a stopped Millrace only: an insert between reading and swapping would be lost. What it has not handled yet
is handled first. Exit code 1 when a row differs from the raw events afterwards.

  --month YYYY-MM    of the project's days
  --data-dir FOLDER  data folder of npm start
`

export const rebuild: Verb = {
  help: HELP,
  run: async (args, { out }) => {
    const flags = readFlags(args, { month: { type: 'string' } })
    const month = monthOf(flags.month ?? '')
    if (flags['data-dir'] === undefined) throw new WrongUsage('name the stopped folder: --data-dir FOLDER')
    const folder = resolve(flags['data-dir'])
    await requireFolder(folder)
    const code = await finishFolder(folder)
    if (code !== 0) return code
    const opened = await openFolder({ dataDir: folder, sync: 'disk' }, { clock: standingClock() })
    try {
      const { partitions, differed, differ } = await rebuildEventDay(opened.ports.columns, month)
      out(`Rebuilt ${flags.month} of ${partitions} ${partitions === 1 ? 'project' : 'projects'}: ${differed} rows differed from the raw events, now ${differ}.`)
      return differ === 0 ? 0 : 1
    } finally {
      await opened.close()
    }
  },
}

/** @throws WrongUsage */
const monthOf = (text: string): Month => {
  const [, year, month] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text) ?? []
  if (year === undefined) throw new WrongUsage(`--month ${text}: must be such as 2026-03`)
  return { year: Number(year), month: Number(month) }
}
