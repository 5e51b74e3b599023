import { resolve } from 'node:path'
import { stackConfig, type StackConfig } from '@millrace/wiring'
import type { Env } from '../config.ts'
import { StartFault } from '../folder/fault.ts'
import { readAddresses, type Addresses } from './addresses.ts'

/** Written in place of a folder: the stack whose engines the environment names. */
const STACK = 'stack'

export const isStack = (place: string): boolean => place === STACK

/** A folder in full, or the word `stack`. */
export const placeNamed = (name: string): string => (name === STACK ? STACK : resolve(name))

/** Of who looks on: it consumes nothing, so it needs no slot of its own. */
const SLOT = { COPY_SLOT: 'ops' }

/** The engines that the variables of a stack's services name; null when they name none. @throws StartFault with all faults */
export const stackOfEnv = (environment: Env): StackConfig | null => {
  // An empty variable counts as absent.
  const env = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''))
  if (!env['KAFKA_BROKERS']) return null
  const parsed = stackConfig.safeParse({ ...env, ...SLOT })
  if (!parsed.success) throw new StartFault(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'))
  return parsed.data
}

/** The engines of the `npm run stack` that runs on a folder; null when none does. */
export const stackOfFolder = async (folder: string): Promise<StackConfig | null> => {
  const addresses = await readAddresses(folder)
  return addresses && stackOf(addresses)
}

export const stackOf = ({ engines }: Pick<Addresses, 'engines'>): StackConfig => ({ ...stackConfig.parse(SLOT), ...engines })

/** @param place a data folder, or `stack` @returns null for the folder of one process @throws StartFault */
export const stackAt = async (place: string, env: Env): Promise<StackConfig | null> => {
  if (!isStack(place)) return stackOfFolder(place)
  const config = stackOfEnv(env)
  if (!config) throw new StartFault(`${STACK}: KAFKA_BROKERS, REDIS_URLS and CLICKHOUSE_URL must say where its engines are.`)
  return config
}
