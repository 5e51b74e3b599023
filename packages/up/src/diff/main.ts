import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { compareFolders } from './compare.ts'
import { placeNamed } from '../stack/where.ts'
import { tableHead, viewText } from './report.ts'
import { readRows, type FolderRows } from './rows.ts'

const HELP = `Usage: npm run diff -- A B

Compares what analysts see of two Millraces: every view, every column, row by row, as of the newest event.
Each is the data folder of a stopped one or of a running npm run stack at rest, or the word stack: the one of
KAFKA_BROKERS, REDIS_URLS, CLICKHOUSE_URL.
The exit code is 0 when all rows are equal, 1 when some differ, 2 when they could not be compared.

  --examples N   differing rows to show of each view (5)
`

/** The two folders could not be read; why is told by the process that read them. */
class NotRead extends Error {}

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({ args: process.argv.slice(2), options: OPTIONS, allowPositionals: true, strict: true })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const [a, b] = positionals.map(placeNamed)
  if (!a || !b || positionals.length > 2 || a === b) throw new Error('Name two folders: npm run diff -- A B')
  const examples = Number(values.examples ?? 5)
  if (!Number.isInteger(examples) || examples < 0) throw new Error('--examples must be a whole number')
  const startedAt = performance.now()
  const readers = [openReader(a), openReader(b)] as const
  try {
    console.log(tableHead())
    let differing = 0
    for await (const view of compareFolders(readers[0].rows, readers[1].rows, examples)) {
      console.log(viewText(view))
      differing += view.differing
    }
    console.log(`Compared in ${((performance.now() - startedAt) / 1000).toFixed(1)} s: A is ${a}, B is ${b}`)
    const codes = await Promise.all(readers.map(({ ended }) => ended))
    if (codes.some((code) => code !== 0)) throw new NotRead()
    console.log(`${differing.toLocaleString('en')} differing rows`)
    return differing === 0 ? 0 : 1
  } catch (error) {
    const code = await Promise.race([...readers.map(({ ended }) => ended), pause()])
    for (const { stop } of readers) stop()
    throw code ? new NotRead() : error
  }
}

const OPTIONS = { help: { type: 'boolean' }, examples: { type: 'string' } } as const

/** A process for each folder: chDB opens only one in each. */
const openReader = (folder: string): { readonly rows: FolderRows; readonly ended: Promise<number>; stop(): void } => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./read/main.js', import.meta.url)), folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const stop = (): void => void child.kill()
  process.once('exit', stop)
  const ended = new Promise<number>((done) => {
    child.once('error', () => done(2))
    child.once('exit', (code) => done(code ?? 2))
  })
  return { rows: readRows(child.stdout), ended, stop }
}

/** A reader that failed ends its output a little before itself. */
const ENDING_MS_MAX = 3_000
const pause = (): Promise<null> => new Promise((done) => setTimeout(() => done(null), ENDING_MS_MAX).unref())

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof NotRead)) console.error((error as Error).message)
  process.exitCode = 2
}
