import { once } from 'node:events'
import type { ColumnStore } from '@millrace/ports'
import { ConfigError } from '@millrace/service-kit'
import { analystViews, VIEWS_DATABASE } from '@millrace/warehouse'
import { StartFault } from '../../folder/fault.ts'
import { openFolder } from '../../folder/open-folder.ts'
import { openMessages } from '../../messages.ts'
import { runToTheEnd } from '../../replay/flow.ts'
import { requireFolder } from '../../replay/open-log.ts'
import { standingClock } from '../../replay/standing-clock.ts'

/**
 * Prints all rows of all views of one folder, each view in one order: a line that names the view and its columns, then a
 * JSON array a row. The folder comes to the end of its log first, which also renews what the ledger knows of the log.
 */
const main = async (dataDir: string): Promise<void> => {
  const { logger } = openMessages('warn', null, (line) => console.error(line))
  await requireFolder(dataDir)
  const opened = await openFolder({ dataDir, sync: 'disk' }, { clock: standingClock() })
  try {
    await runToTheEnd(opened.ports, { logger })
    for (const view of analystViews) await printView(opened.ports.columns, view)
    await print(Buffer.from('{"end":true}\n'))
  } finally {
    await opened.close()
  }
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
