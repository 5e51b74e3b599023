import { parseArgs } from 'node:util'
import { z } from 'zod'
import type { Format } from './file.ts'
import { parseMapping, type Mapping } from './mapping.ts'

/** What an import is told on its command line or by the environment. */
export interface ImportOptions {
  readonly file: string
  readonly url: string
  readonly writeKey: string
  readonly format: Format | 'by-content'
  readonly mapping: Mapping
  readonly delimiter: string
  readonly inFlightMax: number
  readonly refusedFile: string
}

export const IMPORT_HELP = `Usage: npm run import -- FILE [options]

Sends a file of events to a running Millrace: NDJSON in Segment's shape, CSV, or an access log
of Apache (common or combined format); gzip is recognised.
Running it twice changes nothing: a message's id is the hash of the file's content and the line number.

  --url URL             where Millrace runs (MILLRACE_URL; http://127.0.0.1:8080)
  --write-key KEY       printed by npm start (MILLRACE_WRITE_KEY)
  --format FORMAT       ndjson, csv or apache; by the file's content unless said
  --map FIELD=COLUMN,…  CSV: which column fills which field; fields are type, event, userId, anonymousId,
                        messageId, timestamp, properties.<name>, traits.<name>, context.<name>.
                        Columns with the usual names (event, user_id, timestamp, …) are found without it;
                        a column that nothing names becomes a property, unless FIELD= leaves it out: -=COLUMN
  --delimiter CHAR      CSV: between columns (,)
  --in-flight N         requests at a time, 1 to 16 (4)
  --refused FILE        where refused lines are written (FILE.refused.ndjson)
`

const schema = z.object({
  file: z.string({ error: 'name the file to import' }),
  url: z.url({ protocol: /^https?$/, error: '--url must be like http://127.0.0.1:8080' }).transform((url) => url.replace(/\/+$/, '')),
  writeKey: z.string({ error: '--write-key is missing: npm start prints it' }).min(1),
  format: z.enum(['ndjson', 'csv', 'apache', 'by-content'], { error: '--format must be ndjson, csv or apache' }),
  delimiter: z.string().length(1, { error: '--delimiter must be one character' }),
  inFlightMax: z.coerce.number({ error: '--in-flight must be a number' }).int().min(1).max(16, { error: '--in-flight must be between 1 and 16' }),
})

/** @throws Error that tells all faults at once; null when help was asked for */
export const importOptions = (args: readonly string[], env: Readonly<Record<string, string | undefined>>): ImportOptions | null => {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true, strict: true })
  if (values.help) return null
  if (positionals.length > 1) throw new Error(`One file at a time: ${positionals.slice(1).join(', ')} is too much.`)
  const parsed = schema.safeParse({
    file: positionals[0],
    url: values.url ?? env['MILLRACE_URL'] ?? 'http://127.0.0.1:8080',
    writeKey: values['write-key'] ?? env['MILLRACE_WRITE_KEY'],
    format: values.format ?? 'by-content',
    delimiter: values.delimiter ?? ',',
    inFlightMax: values['in-flight'] ?? 4,
  })
  if (!parsed.success) throw new Error(parsed.error.issues.map((issue) => issue.message).join('\n'))
  const refusedFile = values.refused ?? `${parsed.data.file}.refused.ndjson`
  return { ...parsed.data, mapping: parseMapping(values.map ?? []), refusedFile }
}

const OPTIONS = {
  url: { type: 'string' },
  'write-key': { type: 'string' },
  format: { type: 'string' },
  map: { type: 'string', multiple: true },
  delimiter: { type: 'string' },
  'in-flight': { type: 'string' },
  refused: { type: 'string' },
  help: { type: 'boolean' },
} as const
