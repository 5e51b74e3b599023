import { type LagRow, keyOf } from './lag.ts'

/** What one process said of itself. */
export interface ProcessWord {
  readonly name: string
  readonly url: string
  /** Why it did not answer, or null. */
  readonly fault: string | null
  /** Each part that it needs: `ok`, or the reason; of /readyz. */
  readonly parts: Readonly<Record<string, string>>
  /** Its clock minus the one here. */
  readonly skewMs: number | null
  readonly ledgerDifferences: readonly { readonly project: string; readonly difference: number }[]
  /** Batches or openings that failed between the two looks. */
  readonly newFaults: number
}

/** All that a doctor looks at, as plain data; null: could not be asked here, or does not apply. */
export interface Gathered {
  readonly node: string
  /** Such as `>=20.19`. */
  readonly nodeWanted: string
  readonly processes: readonly ProcessWord[]
  readonly lagBefore: readonly LagRow[]
  readonly lagAfter: readonly LagRow[]
  readonly missingGroups: readonly string[]
  readonly disk: { readonly folder: string; readonly freeBytes: number; readonly totalBytes: number } | null
  readonly ledger: { readonly fault: string } | { readonly difference: number; readonly balanced: boolean } | null
  /** Parts of sentences: what is missing in Kafka or differs. */
  readonly topics: readonly string[] | null
  readonly migrations: string | null
  /** What Redis was found to be unfit for. */
  readonly redis: readonly string[] | null
}

export interface Finding {
  /** `note` alone keeps the exit code at 0. */
  readonly severity: 'wrong' | 'note'
  readonly what: string
  readonly todo: string
}

export const SKEW_MS_MAX = 5_000
/** The log refuses appends below 64 MiB; there should be time to act before. */
export const FREE_BYTES_MIN = 1024 ** 3
const FREE_SHARE_MIN = 0.05

/** What is wrong, and what to do about it, in the order in which one would act. */
export const findings = (gathered: Gathered): readonly Finding[] => [
  ...ofNode(gathered),
  ...ofDisk(gathered),
  ...ofEngines(gathered),
  ...gathered.processes.flatMap(ofProcess),
  ...ofGroups(gathered),
  ...ofLedger(gathered),
]

const wrong = (what: string, todo: string): Finding => ({ severity: 'wrong', what, todo })
const note = (what: string, todo: string): Finding => ({ severity: 'note', what, todo })

const ofNode = ({ node, nodeWanted }: Gathered): readonly Finding[] => {
  const have = numbersOf(node)
  const want = numbersOf(nodeWanted)
  const at = want.findIndex((part, index) => part !== (have[index] ?? 0))
  return at < 0 || (have[at] ?? 0) > want[at]! ? [] : [wrong(`Node here is ${node}, this build asks for ${nodeWanted}`, 'install a newer Node and start again')]
}

const numbersOf = (version: string): readonly number[] => version.replace(/^\D+/, '').split('.').map(Number)

const ofDisk = ({ disk }: Gathered): readonly Finding[] => {
  if (disk === null) return []
  const { folder, freeBytes, totalBytes } = disk
  const room = `${(freeBytes / 1024 ** 2).toFixed(0)} MiB free of ${(totalBytes / 1024 ** 3).toFixed(1)} GiB at ${folder}`
  if (freeBytes < FREE_BYTES_MIN) return [wrong(`the disk is nearly full: ${room}`, 'make room; below 64 MiB new events are refused with 503, and nothing is lost')]
  return freeBytes < FREE_SHARE_MIN * totalBytes ? [note(`the disk fills: ${room}`, 'make room or move the data folder')] : []
}

const ofEngines = ({ topics, migrations, redis }: Gathered): readonly Finding[] => [
  ...(topics ?? []).map((fault) => wrong(`Kafka: ${fault}`, fault.endsWith('is missing') ? 'run set-up, or npm run topics -- --brokers …' : "change it with Kafka's own tools, or tell npm run topics and set-up the settings that are meant")),
  ...(migrations === null ? [] : [wrong(`ClickHouse: ${migrations}`, 'run set-up of the newest build, and start services of that build only')]),
  ...(redis ?? []).map((fault) => wrong(`Redis: ${fault}`, 'set maxmemory-policy noeviction and appendonly yes; state that it lost is folded again from the log')),
]

const ofProcess = ({ name, url, fault, parts, skewMs, newFaults }: ProcessWord): readonly Finding[] => {
  if (fault !== null) return [wrong(`${name}: ${fault}`, `see whether it runs and listens at ${url}; its log says why it ended`)]
  return [
    ...Object.entries(parts).filter(([, word]) => word !== 'ok').map(([part, word]) => wrong(`${name} is not ready: ${part}: ${word}`, todoOfPart(part))),
    ...(skewMs !== null && Math.abs(skewMs) > SKEW_MS_MAX
      ? [wrong(`the clock of ${name} is ${(Math.abs(skewMs) / 1000).toFixed(0)} s ${skewMs > 0 ? 'ahead of' : 'behind'} the one here`, 'let both machines set their clocks by NTP: receivedAt and windows of segments come from them')]
      : []),
    ...(newFaults > 0 ? [wrong(`${name}: ${newFaults} batches failed while the doctor looked`, 'its log names the fault under consumer.failed; nothing is lost, the batch is repeated')] : []),
  ]
}

const todoOfPart = (part: string): string =>
  ({
    log: 'see whether Kafka answers, or whether the disk of the data folder is full',
    'hot-store': 'see whether Redis answers and is writable',
    'column-store': 'see whether ClickHouse answers',
  })[part] ?? 'see the log of that process'

const ofGroups = ({ lagBefore, lagAfter, missingGroups, processes }: Gathered): readonly Finding[] => {
  const before = new Map(lagBefore.map((row) => [keyOf(row), row]))
  const standing = lagAfter.filter((row) => {
    const earlier = before.get(keyOf(row))
    return row.lag > 0 && earlier !== undefined && earlier.lag > 0 && earlier.position === row.position
  })
  return [
    ...standing.map((row) => wrong(`${keyOf(row)} stands still at ${row.position}, ${row.lag} records behind`, 'see the log of its service for consumer.failed; a restart of that service loses nothing')),
    ...(missingGroups.length > 0 && processes.some(({ fault }) => fault === null)
      ? [wrong(`nobody tells of the consumers ${missingGroups.join(', ')}`, 'start their services; of a stack, name each process with --process or the folder with --data-dir')]
      : []),
  ]
}

const ofLedger = ({ ledger, processes }: Gathered): readonly Finding[] => {
  const told = processes.flatMap(({ ledgerDifferences }) => ledgerDifferences).filter(({ difference }) => difference !== 0)
  const projects = new Map(told.map((row) => [row.project, row.difference]))
  return [
    ...[...projects].map(([project, difference]) => wrong(`the ledger of project ${project} has a difference of ${difference}`, 'npm run ops -- ledger shows the hours; compare a replay with npm run replay and npm run diff')),
    ...(ledger === null ? [note('the ledger was not asked by hour: no --api-key', 'give --api-key to see each hour')] : []),
    ...(ledger !== null && 'fault' in ledger ? [wrong(`the ledger cannot be read: ${ledger.fault}`, 'see whether metrics is ready and the key is right')] : []),
    ...(ledger !== null && 'balanced' in ledger && !ledger.balanced && projects.size === 0 ? [wrong('the ledger does not balance in some hour', 'npm run ops -- ledger shows which')] : []),
  ]
}
