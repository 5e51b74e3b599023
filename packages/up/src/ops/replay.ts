import { createHash } from 'node:crypto'
import { batchesOf } from '../door/batches.ts'
import { DoorFault, type Outgoing, sendBatches } from '../door/batch-sender.ts'
import { askApi } from './ask.ts'
import { timeOf } from './ledger.ts'
import { needApiKey, PLACE_HELP, placeOf, readFlags } from './place.ts'
import { countEqual, eventsOf, type RejectedFilter, type RejectedRow, wanted } from './resend.ts'
import { type Terminal, type Verb, WrongUsage } from './usage.ts'

const HELP = `Usage: npm run ops -- replay --write-key KEY [options]

Sends refused events again, after what refused them was mended: as they came, under their own message id, so that a
second run only makes repeats. What was cut when it was kept, or is no JSON, is counted and not sent.
An event without an id or a time gets an id made of its bytes, and the time at which it came.
Exit code 1 when something could not be sent, or was refused again.

${PLACE_HELP}  --write-key KEY    the events come in as from this source (MILLRACE_WRITE_KEY)
  --code CODE        only what was refused for this reason, such as TYPE_UNKNOWN
  --source NAME      only what came with the write key of this name
  --from TIME        received at this ISO time or later
  --to TIME          received before it
  --dry-run          count, send nothing
  --json             the counts as JSON
`

const OPTIONS = {
  'write-key': { type: 'string' }, code: { type: 'string' }, source: { type: 'string' }, from: { type: 'string' }, to: { type: 'string' },
  'dry-run': { type: 'boolean' }, json: { type: 'boolean' },
} as const

interface Counts {
  /** Refused rows that the filters name. */
  found: number
  /** Events of them that are sent, each once. */
  events: number
  /** The same event was refused several times. */
  again: number
  cut: number
  unreadable: number
  accepted: number
  refused: number
  reasons: Record<string, number>
}

/** The door is away for two minutes at most. */
const ATTEMPTS_MAX = 18
const IN_FLIGHT_MAX = 4
/** Their hashes are held, to send each event once. */
const EVENTS_MAX = 2_000_000

export const replay: Verb = {
  help: HELP,
  run: async (args, terminal) => {
    const flags = readFlags(args, OPTIONS)
    const place = await placeOf(flags, terminal.env)
    const apiKey = needApiKey(place)
    const dryRun = flags['dry-run'] ?? false
    const writeKey = flags['write-key'] ?? terminal.env['MILLRACE_WRITE_KEY'] ?? null
    if (writeKey === null && !dryRun) throw new WrongUsage('--write-key is missing: npm start prints it; with --dry-run events are only counted')
    const filter = {
      code: flags.code ?? null, source: flags.source ?? null,
      fromMs: flags.from === undefined ? -Infinity : timeOf('--from', flags.from), toMs: flags.to === undefined ? Infinity : timeOf('--to', flags.to),
    }
    const counts: Counts = { found: 0, events: 0, again: 0, cut: 0, unreadable: 0, accepted: 0, refused: 0, reasons: {} }
    const events = eventsToSend(pagesOf(place.url, apiKey, filter.code), filter, counts)
    const fault = dryRun ? await countAll(events) : await sendAll({ url: place.url, writeKey: writeKey! }, events, counts)
    tell(terminal, counts, { dryRun, json: flags.json ?? false, fault })
    return fault === null && counts.refused === 0 ? 0 : 1
  },
}

/** Refused rows, newest first; what is refused meanwhile lies before the first page and is not met. */
async function* pagesOf(url: string, apiKey: string, code: string | null): AsyncGenerator<RejectedRow> {
  for (let before: string | null = null; ; ) {
    const query = new URLSearchParams({ limit: '500', ...(code === null ? {} : { code }), ...(before === null ? {} : { before }) })
    const page: { rejected: readonly RejectedRow[]; next: string | null } = await askApi(url, `/api/rejected?${query}`, apiKey)
    yield* page.rejected
    if (page.next === null) return
    before = page.next
  }
}

/** @throws Error over the bound */
async function* eventsToSend(rows: AsyncIterable<RejectedRow>, filter: RejectedFilter, counts: Counts): AsyncGenerator<Outgoing> {
  const sent = new Set<string>()
  const nthOf = countEqual()
  for await (const row of rows) {
    const nth = nthOf(row)
    const answer = wanted(filter, row)
    if (answer === 'too-old') return
    if (answer === 'no') continue
    counts.found++
    const read = eventsOf(row, nth)
    if ('fault' in read) {
      counts[read.fault]++
      continue
    }
    for (const text of read.texts) {
      const hash = createHash('sha256').update(text).digest('base64').slice(0, 22)
      if (sent.has(hash)) {
        counts.again++
        continue
      }
      if (sent.size >= EVENTS_MAX) throw new Error(`over ${EVENTS_MAX} events: name a shorter time with --from and --to`)
      sent.add(hash)
      counts.events++
      yield { text }
    }
  }
}

const countAll = async (events: AsyncIterable<Outgoing>): Promise<null> => {
  for await (const _ of events);
  return null
}

/** What kept it from sending all, or null. */
const sendAll = async (door: { url: string; writeKey: string }, events: AsyncIterable<Outgoing>, counts: Counts): Promise<string | null> => {
  try {
    await sendBatches(door, batchesOf(events, ({ text }) => Buffer.byteLength(text)), {
      inFlightMax: IN_FLIGHT_MAX, attemptsMax: ATTEMPTS_MAX,
      sent: (batch, refused) => {
        counts.accepted += batch.length - refused.length
        counts.refused += refused.length
        for (const { code } of refused) counts.reasons[code] = (counts.reasons[code] ?? 0) + 1
      },
    })
    return null
  } catch (error) {
    if (!(error instanceof DoorFault)) throw error
    return error.message
  }
}

const tell = ({ out, err }: Terminal, counts: Counts, { dryRun, json, fault }: { dryRun: boolean; json: boolean; fault: string | null }): void => {
  if (json) out(JSON.stringify({ ...counts, dryRun, fault }))
  else {
    out(`${counts.found} refused rows, ${counts.events} events${dryRun ? ' would be sent' : ''}; ${counts.again} were the same event again.`)
    if (counts.cut + counts.unreadable > 0) out(`Not sent: ${counts.cut} that were cut when they were kept, ${counts.unreadable} that are no JSON object.`)
    if (!dryRun) out(`Taken: ${counts.accepted}. Refused again: ${counts.refused}${counts.refused > 0 ? ` (${Object.entries(counts.reasons).map(([code, count]) => `${code} ${count}`).join(', ')})` : ''}.`)
  }
  if (fault !== null) err(`Not everything could be sent: ${fault}`)
}
