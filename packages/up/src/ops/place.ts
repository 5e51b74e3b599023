import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import type { StackConfig } from '@millrace/wiring'
import { StartFault } from '../folder/fault.ts'
import { readAddresses } from '../stack/addresses.ts'
import { stackOf, stackOfEnv } from '../stack/where.ts'
import { type Terminal, WrongUsage } from './usage.ts'

/** Where a Millrace is, in either wiring. */
export interface Place {
  /** Its one door: API and events. */
  readonly url: string
  readonly apiKey: string | null
  /** Each process's own address; of one process, the door. */
  readonly processes: readonly { readonly name: string; readonly url: string }[]
  /** Of the stack, as far as they are known here. */
  readonly engines: StackConfig | null
  /** The data folder of one process, when it was named. */
  readonly folder: string | null
}

export const PLACE_HELP = `  --url URL          the door (MILLRACE_URL; http://127.0.0.1:8080)
  --api-key KEY      an API key (MILLRACE_API_KEY)
  --process URL,…    stack: each process's own address, such as http://metrics-0:8080 (MILLRACE_PROCESSES)
  --data-dir FOLDER  data folder; of a running npm run stack it names all addresses by itself
Kafka, Redis and ClickHouse of a stack: the variables of its services (KAFKA_BROKERS, REDIS_URLS, CLICKHOUSE_URL, …).
`

const OPTIONS = {
  url: { type: 'string' }, 'api-key': { type: 'string' }, process: { type: 'string', multiple: true }, 'data-dir': { type: 'string' }, help: { type: 'boolean' },
} as const

type Flags<Options extends NonNullable<ParseArgsConfig['options']>> = {
  readonly [Name in keyof (typeof OPTIONS & Options)]?: (typeof OPTIONS & Options)[Name] extends { type: 'boolean' } ? boolean
    : (typeof OPTIONS & Options)[Name] extends { multiple: true } ? readonly string[] : string
}

/** Flags of a verb together with those that say where Millrace is. @throws WrongUsage */
export const readFlags = <Options extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], own: Options): Flags<Options> => {
  try {
    return parseArgs({ args: [...args], options: { ...OPTIONS, ...own }, strict: true }).values as Flags<Options>
  } catch (error) {
    throw new WrongUsage((error as Error).message)
  }
}

/** @throws WrongUsage */
export const placeOf = async (given: Flags<typeof OPTIONS>, environment: Terminal['env']): Promise<Place> => {
  // An empty variable counts as absent.
  const env = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  const folder = given['data-dir'] === undefined ? null : resolve(given['data-dir'])
  const stack = folder === null ? null : await readAddresses(folder)
  const url = addressOf('--url', given.url ?? env['MILLRACE_URL'] ?? stack?.url ?? 'http://127.0.0.1:8080')
  const named = (given.process ?? [env['MILLRACE_PROCESSES'] ?? '']).flatMap((text) => text.split(',')).filter((text) => text !== '').map((text) => addressOf('--process', text))
  const known = stack?.processes ?? [{ name: url, url }]
  return {
    url,
    apiKey: given['api-key'] ?? env['MILLRACE_API_KEY'] ?? null,
    processes: named.length > 0 ? named.map((address) => ({ name: address, url: address })) : known,
    engines: stack ? stackOf(stack) : enginesOf(env),
    folder: stack ? null : folder,
  }
}

const addressOf = (flag: string, text: string): string => {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) throw new WrongUsage(`${flag} ${text}: must be like http://127.0.0.1:8080`)
  return text.replace(/\/+$/, '')
}

const enginesOf = (env: Terminal['env']): Place['engines'] => {
  try {
    return stackOfEnv(env)
  } catch (error) {
    throw error instanceof StartFault ? new WrongUsage(error.message) : error
  }
}

/** @throws WrongUsage when a verb cannot do without */
export const needApiKey = ({ apiKey }: Place): string => {
  if (apiKey === null) throw new WrongUsage('--api-key is missing: npm start shows it at the first start, npm start -- --new-api-key makes another')
  return apiKey
}

/** The Node that this build asks for, such as `>=20.19`. */
export const wantedNode = async (root: string): Promise<string> =>
  (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { engines: { node: string } }).engines.node
