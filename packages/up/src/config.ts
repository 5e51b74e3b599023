import { parseArgs, type ParseArgsConfig } from 'node:util'
import { canonicalZone } from '@millrace/contracts'
import { ConfigError, logLevels } from '@millrace/service-kit'
import { z } from 'zod'

/** The shop is made in memory. */
const DEMO_PEOPLE_MAX = 20_000

const port = z.coerce.number({ error: 'must be a number' }).int().min(0).max(65_535, { error: 'must be between 0 and 65535' })
/** Everything that one process is told. Absent optional settings are decided by what the data folder holds. */
export const upConfig = z.object({
  port: port.default(8080),
  clickhousePort: port.default(8123),
  host: z.string().min(1).default('127.0.0.1'),
  /** Names beside localhost under which a proxy or the network reaches this machine. */
  names: z.string().default('').transform((text) => text.split(',').map((name) => name.trim()).filter((name) => name !== '')),
  /** Proxies in front, whose X-Forwarded-For is believed. */
  trustedProxies: z.string().default('').transform((text) => text.split(',').map((name) => name.trim()).filter((name) => name !== '')),
  dataDir: z.string().min(1),
  writeKey: z.string().regex(/^[\w.-]{4,128}$/, { error: 'must be 4 to 128 letters, digits, dots, dashes or underscores' }).optional(),
  apiKey: z.string().regex(/^[\w.-]{8,128}$/, { error: 'must be 8 to 128 letters, digits, dots, dashes or underscores' }).optional(),
  zone: z.string().refine((name) => canonicalZone(name) !== null, { error: 'must be an IANA time zone such as UTC or Asia/Shanghai' }).overwrite((name) => canonicalZone(name) ?? name).optional(),
  currency: z.string().regex(/^[A-Z]{3}$/, { error: 'must be an ISO 4217 code such as USD or CNY' }).optional(),
  logLevel: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info'),
  sync: z.enum(['disk', 'os'], { error: 'must be disk (an acknowledged event survives a power cut) or os (faster: it survives kill -9 only)' }).default('disk'),
  newApiKey: z.stringbool({ error: 'must be true or false' }).default(false),
  demo: z.stringbool({ error: 'must be true or false' }).default(false),
  demoPeople: z.coerce.number({ error: 'must be a number' }).int().min(1).max(DEMO_PEOPLE_MAX, { error: `must be between 1 and ${DEMO_PEOPLE_MAX}` }).default(2000),
})
export type UpConfig = z.output<typeof upConfig>

export interface Setting<Name extends string = string> {
  readonly flag: string
  readonly env: string
  readonly name: Name
  /** Shown in the help; null: a switch without a value. */
  readonly value: string | null
  readonly help: string
}

export const setting = <Name extends string>(name: Name, flag: string, value: string | null, help: string): Setting<Name> => ({
  name,
  flag,
  env: `MILLRACE_${flag.toUpperCase().replaceAll('-', '_')}`,
  value,
  help,
})

/** One row a setting: its flag and its variable have the same name. The README's table is held equal to it. */
export const settings: readonly Setting<keyof UpConfig>[] = [
  setting('port', 'port', 'N', 'where events come in and the page is (8080)'),
  setting('clickhousePort', 'clickhouse-port', 'N', 'ClickHouse over HTTP for analysts (8123)'),
  setting('host', 'host', 'ADDRESS', 'address to listen on (127.0.0.1: this machine only)'),
  setting('names', 'names', 'A,B', 'further host names under which Millrace is reached (none)'),
  setting('trustedProxies', 'trusted-proxies', 'A,B', 'addresses or ranges of proxies in front, whose X-Forwarded-For is believed (none)'),
  setting('dataDir', 'data-dir', 'FOLDER', 'where all data is kept (.millrace in the project)'),
  setting('writeKey', 'write-key', 'KEY', 'key that SDKs send events with (made at the first start)'),
  setting('apiKey', 'api-key', 'KEY', 'key for the API and for ClickHouse (made at the first start)'),
  setting('zone', 'zone', 'ZONE', "time zone of the project's days, fixed at the first start (UTC)"),
  setting('currency', 'currency', 'CODE', 'taken where an event names none, fixed at the first start (USD)'),
  setting('logLevel', 'log-level', 'LEVEL', `what goes to millrace.log: ${logLevels.join(', ')} (info)`),
  setting('sync', 'sync', 'HOW', 'acknowledge when on disk (disk), or when the system has it (os: a power cut may lose the last seconds)'),
  setting('newApiKey', 'new-api-key', null, 'make and print another API key'),
  setting('demo', 'demo', null, 'fill an empty Millrace with a made-up shop: 2,000 people, 90 days'),
  setting('demoPeople', 'demo-people', 'N', 'how many people the made-up shop has (2000)'),
]

export const upHelp = (): string => helpOf('npm start', settings)

export const helpOf = (command: string, table: readonly Setting[]): string => {
  const rows = table.map(({ flag, value, help }) => `  --${flag}${value === null ? '' : ` ${value}`}`.padEnd(28) + help)
  return `Usage: ${command} -- [options]\n\n${rows.join('\n')}\n  --help\n\nEach also as a variable: --port is MILLRACE_PORT, --data-dir is MILLRACE_DATA_DIR.\n`
}

export type Env = Readonly<Record<string, string | undefined>>

/**
 * Flags win over variables. @throws ConfigError with all faults at once, unknown flags included; null when help was asked for
 * @param defaultDataDir where data is kept unless said
 */
export const readUpConfig = (args: readonly string[], env: Env, defaultDataDir: string): UpConfig | null =>
  readSettings(upConfig, settings, { args, env, defaultDataDir })

/** The same for any table of settings and its schema. */
export const readSettings = <Schema extends z.ZodType>(
  schema: Schema,
  table: readonly Setting[],
  { args, env, defaultDataDir }: { readonly args: readonly string[]; readonly env: Env; readonly defaultDataDir: string },
): z.output<Schema> | null => {
  const { given, faults, help } = readFlags(args, table)
  if (help) return null
  const raw: Record<string, unknown> = { dataDir: defaultDataDir }
  for (const { name, flag, env: variable } of table) {
    const value = given.get(flag) ?? env[variable]
    if (value !== undefined && value !== '') raw[name] = value
  }
  const parsed = schema.safeParse(raw)
  if (parsed.success && faults.length === 0) return parsed.data
  throw new ConfigError([...faults, ...(parsed.error?.issues ?? []).map((issue) => faultOf(issue, raw, given, table))])
}

const readFlags = (args: readonly string[], table: readonly Setting[]): { given: ReadonlyMap<string, string>; faults: readonly string[]; help: boolean } => {
  const options: ParseArgsConfig['options'] = { help: { type: 'boolean' } }
  for (const { flag, value } of table) options[flag] = { type: value === null ? 'boolean' : 'string' }
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true })
  const given = new Map<string, string>()
  const faults: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') faults.push(`${token.value}: options begin with --; --help lists them`)
    if (token.kind !== 'option' || token.name === 'help') continue
    const known = table.find(({ flag }) => flag === token.name)
    if (!known) faults.push(`${token.rawName}: there is no such option; --help lists them`)
    else if (known.value !== null && token.value === undefined) faults.push(`--${known.flag}: needs a value`)
    else given.set(known.flag, token.value ?? 'true')
  }
  return { given, faults, help: tokens.some((token) => token.kind === 'option' && token.name === 'help') }
}

const faultOf = (issue: z.core.$ZodIssue, raw: Readonly<Record<string, unknown>>, given: ReadonlyMap<string, string>, table: readonly Setting[]): string => {
  const found = table.find(({ name }) => name === issue.path[0])
  if (!found) return issue.message
  // Keys are secrets, also wrong ones: they do not go to a screen that somebody else may see.
  const value = found.name.endsWith('Key') ? '' : ` ${String(raw[found.name])}`
  return `${given.has(found.flag) ? `--${found.flag}` : found.env}${value}: ${issue.message}`
}
