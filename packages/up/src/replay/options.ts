import { sep } from 'node:path'
import { parseArgs } from 'node:util'
import { placeNamed } from '../stack/where.ts'

export const REPLAY_HELP = `Usage: npm run replay -- --from A --to B

Folds a log again: everything that follows from it is made anew elsewhere, by one process.
Compare the two with: npm run diff -- A B

  --from FOLDER   data folder of a stopped Millrace; what it has not handled yet is handled first, as its next start would;
                  or of a running npm run stack at rest, or the word stack: the one of KAFKA_BROKERS, REDIS_URLS, CLICKHOUSE_URL
  --to FOLDER     an empty folder, or one that is not there; or stack: one that is empty, none of its services running.
                  So a folder that was outgrown becomes a stack (on this machine: npm run stack -- --from FOLDER)
`

export interface ReplayOptions {
  readonly from: string
  readonly to: string
}

/** @throws Error in one sentence; null when help was asked for */
export const replayOptions = (args: readonly string[]): ReplayOptions | null => {
  const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: true })
  if (values.help) return null
  if (!values.from || !values.to) throw new Error('Name both folders: npm run replay -- --from A --to B')
  const [from, to] = [placeNamed(values.from), placeNamed(values.to)]
  if (from === to || to.startsWith(from + sep) || from.startsWith(to + sep)) throw new Error('--to must be another place, beside --from: the one that is replayed is not written to.')
  return { from, to }
}

const OPTIONS = { from: { type: 'string' }, to: { type: 'string' }, help: { type: 'boolean' } } as const
