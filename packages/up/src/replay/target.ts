import { mkdir, readdir, rename } from 'node:fs/promises'
import { activeKafkaGroups, ensureKafkaTopics } from '@millrace/adapters'
import { allTopics } from '@millrace/contracts'
import type { Clock, EventLog, HotStore } from '@millrace/ports'
import { migrate } from '@millrace/warehouse'
import { createStack, topicSettings, type StackConfig } from '@millrace/wiring'
import { consumerGroups } from '../at-rest.ts'
import type { Env } from '../config.ts'
import { folderPaths } from '../folder/data-folder.ts'
import { fileFault, StartFault } from '../folder/fault.ts'
import { openFolder, type Ports } from '../folder/open-folder.ts'
import { stackAt } from '../stack/where.ts'

/** What a replay fills, of either wiring: empty, and of nobody's use before it is finished. */
export interface Target {
  readonly ports: Ports
  /** A log in which transactions have offsets of their own, and compacted topics want keys. */
  readonly isKafka: boolean
  finished(): Promise<void>
  close(): Promise<void>
}

/** @param place a folder that was found empty, or `stack` @throws StartFault */
export const openTarget = async (place: string, env: Env, clock: Clock): Promise<Target> => {
  const config = await stackAt(place, env)
  return config ? openStackTarget(config, clock) : openFolderTarget(place, clock)
}

const openFolderTarget = async (folder: string, clock: Clock): Promise<Target> => {
  // Nobody is told that anything here is safe before it is whole, so no commit needs to wait for the disk.
  const { ports, close } = await openFolder({ dataDir: folder, sync: 'os' }, { clock })
  try {
    const { finished } = await markUnfinished(folder)
    return { ports, close, isKafka: false, finished }
  } catch (error) {
    await close()
    throw error
  }
}

const openStackTarget = async (config: StackConfig, clock: Clock): Promise<Target> => {
  const settings = topicSettings(config)
  await ensureKafkaTopics(config.KAFKA_BROKERS, settings)
  const active = await activeKafkaGroups(config.KAFKA_BROKERS, settings, Object.keys(consumerGroups))
  if (active.length > 0) throw new StartFault(`Services of the stack run (${active.join(', ')} have members): stop them, they would handle half a log.`)
  const { close, ...ports } = await createStack({ config, needsColumns: false, clock })
  try {
    await requireUnused(ports)
    await migrate(ports.columns)
    await ports.hot.update(REPLAY, UNFINISHED, () => true)
    return { ports, close, isKafka: true, finished: async () => void (await ports.hot.update(REPLAY, UNFINISHED, () => undefined)) }
  } catch (error) {
    await close()
    throw error
  }
}

const REPLAY = 'replay'
const UNFINISHED = 'unfinished'

const requireUnused = async ({ log, hot }: { readonly log: Pick<EventLog, 'extents'>; readonly hot: Pick<HotStore, 'scan' | 'get'> }): Promise<void> => {
  await requireFinished(hot)
  for (const { name } of allTopics) {
    const records = (await log.extents(name)).reduce((sum, { next }) => sum + next, 0)
    if (records > 0) throw new StartFault(`The stack is not empty: ${name} has ${records} records. A stack is filled before its first set-up, or its topics, Redis and ClickHouse are emptied first.`)
  }
  const [project] = await hot.scan('projects', { prefix: '', limit: 1 })
  if (project) throw new StartFault('The stack is not empty: Redis holds a project.')
}

/** @throws StartFault when a replay into this stack was broken off */
export const requireFinished = async (hot: Pick<HotStore, 'get'>): Promise<void> => {
  const [unfinished] = await hot.get(REPLAY, [UNFINISHED])
  if (unfinished !== undefined) throw new StartFault('The stack is half filled: a replay into it was broken off. Empty its topics, Redis and ClickHouse, then begin again.')
}

/** @throws StartFault unless the folder is empty or not there */
export const requireEmpty = async (folder: string, what = 'a replay'): Promise<void> => {
  try {
    await mkdir(folder, { recursive: true })
    const [first] = await readdir(folder)
    if (first !== undefined) throw new StartFault(`The folder ${folder} is not empty (it holds ${first}): ${what} needs an empty one, or one that is not there.`)
  } catch (error) {
    throw fileFault(folder, error) ?? error
  }
}

/**
 * A folder that is half filled must not pass for a whole one: until `finished` it has no VERSION, so a start refuses it.
 */
export const markUnfinished = async (folder: string): Promise<{ finished(): Promise<void> }> => {
  const { version } = folderPaths(folder)
  const aside = `${version}.of-replay`
  await rename(version, aside)
  return { finished: () => rename(aside, version) }
}
