import { endWithFault, readConfig } from '@millrace/service-kit'
import { stackConfig } from '@millrace/wiring'
import { z } from 'zod'
import { upConfig } from '../config.ts'
import { setUp } from './set-up.ts'

const { zone, currency, writeKey, apiKey } = upConfig.shape

/** Settings of set-up, beside those of the stack. */
const settings = z.object({
  ...stackConfig.shape,
  PUBLIC_URL: z.url().default('http://127.0.0.1:8080').describe('address under which browsers reach the front door'),
  PROJECT_ZONE: zone,
  PROJECT_CURRENCY: currency,
  WRITE_KEY: writeKey,
  API_KEY: apiKey,
  NEW_API_KEY: z.stringbool({ error: 'must be true or false' }).default(false),
  CLICKHOUSE_TABLES: z.enum(['plain', 'replicated'], { error: 'must be plain (one server) or replicated (with a Keeper)' }).default('plain'),
  CLICKHOUSE_DICTIONARY_USER: z.string().default('').describe('as whom the server reads the tables of dictionaries'),
  CLICKHOUSE_DICTIONARY_PASSWORD: z.string().default(''),
})

const main = async (): Promise<void> => {
  const config = readConfig(settings, { COPY_SLOT: 'set-up', ...process.env })
  const wanted = { zone: config.PROJECT_ZONE, currency: config.PROJECT_CURRENCY, writeKey: config.WRITE_KEY, apiKey: config.API_KEY, newApiKey: config.NEW_API_KEY, demo: false }
  const reader = config.CLICKHOUSE_DICTIONARY_USER
  const tables = { engine: config.CLICKHOUSE_TABLES, dictionaryUser: reader === '' ? undefined : { name: reader, password: config.CLICKHOUSE_DICTIONARY_PASSWORD } }
  const { keys, signInPath, applied } = await setUp(config, wanted, tables)
  const rows = [
    ['Tables', applied.length === 0 ? 'as this build wants them' : `brought forward by ${applied.join(', ')}`],
    ['Project', `${keys.project.name}, days in ${keys.project.zone}, money in ${keys.project.currency}`],
    ['Write key', keys.writeKey],
    ['API key', keys.apiKey ?? 'as told when it was made; NEW_API_KEY=true makes another'],
    ['Page', `${config.PUBLIC_URL.replace(/\/$/, '')}${signInPath} (signs one browser in, once)`],
  ]
  console.log(rows.map(([name, value]) => `${name!.padEnd(11)} ${value}`).join('\n'))
}

await main().catch(endWithFault(process))
