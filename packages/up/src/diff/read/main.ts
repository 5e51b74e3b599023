import { once } from 'node:events'
import { createSystemClock } from '@millrace/adapters'
import type { ColumnStore } from '@millrace/ports'
import { ConfigError } from '@millrace/service-kit'
import { analystViews, VIEWS_DATABASE } from '@millrace/warehouse'
import { createStack, type StackConfig } from '@millrace/wiring'
import { requireRest } from '../../at-rest.ts'
import { StartFault } from '../../folder/fault.ts'
import { openFolder } from '../../folder/open-folder.ts'
import { openMessages } from '../../messages.ts'
import { runToTheEnd } from '../../replay/flow.ts'
import { requireFolder } from '../../replay/open-log.ts'
import { standingClock } from '../../replay/standing-clock.ts'
import { stackAt } from '../../stack/where.ts'

/**
 * Prints all rows of all views of one folder, each view in one order: a line that names the view and its columns, then a
 * JSON array a row. A folder comes to the end of its log first, which also renews what the ledger knows of the log; a
 * running stack must be there already.
 */
const main = async (place: string): Promise<void> => {
  const config = await stackAt(place, process.env)
  const { columns, close } = config ? await openStack(place, config) : await openToTheEnd(place)
  try {
    for (const view of analystViews) await printView(columns, view)
    await print(Buffer.from('{"end":true}\n'))
  } finally {
    await close()
  }
}

const openToTheEnd = async (dataDir: string): Promise<Columns> => {
  const { logger } = openMessages('warn', null, (line) => console.error(line))
  await requireFolder(dataDir)
  const { ports, close } = await openFolder({ dataDir, sync: 'disk' }, { clock: standingClock() })
  try {
    await runToTheEnd(ports, { logger })
    return { columns: ports.columns, close }
  } catch (error) {
    await close()
    throw error
  }
}

const openStack = async (place: string, config: StackConfig): Promise<Columns> => {
  const { log, columns, close } = await createStack({ config, needsColumns: true })
  try {
    await requireRest(place, log, createSystemClock())
    return { columns, close }
  } catch (error) {
    await close()
    throw error
  }
}

interface Columns {
  readonly columns: ColumnStore
  close(): Promise<void>
}

const printView = async (columns: ColumnStore, view: string): Promise<void> => {
  const described = await columns.query<{ name: string }>(`DESCRIBE TABLE ${VIEWS_DATABASE}.${view}`)
  const names = described.map(({ name }) => name)
  await print(Buffer.from(`${JSON.stringify({ view, columns: names })}\n`))
  // The order of a row's whole text is one that the reader can follow without knowing the columns' types.
  const row = `formatRowNoNewline('JSONCompactEachRow', ${names.map((name) => `\`${name}\``).join(', ')})`
  const sql = `SELECT ${row} AS row FROM ${VIEWS_DATABASE}.${view} ORDER BY row`
  for await (const piece of columns.stream(sql, 'TSVRaw')) await print(piece)
}

const print = async (bytes: Uint8Array): Promise<void> => {
  if (!process.stdout.write(bytes)) await once(process.stdout, 'drain')
}

try {
  await main(process.argv[2]!)
} catch (error) {
  console.error(error instanceof StartFault || error instanceof ConfigError ? error.message : error)
  process.exitCode = 2
}
