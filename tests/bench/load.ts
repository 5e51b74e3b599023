import { join } from 'node:path'
import { outputOf } from './output-of.ts'

export interface LoadOptions {
  readonly url: string
  readonly writeKey: string
  /** In every id, so that two runs share none. */
  readonly run: string
  readonly people: number
  readonly batch: number
  readonly connections: number
  readonly events?: number
  readonly perSecond?: number
  readonly seconds?: number
  readonly daysBack?: number
  readonly first?: number
  readonly of?: number
}

export interface Loaded {
  readonly accepted: number
  /** Answers that asked to try again later. */
  readonly refused: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Sends events from a process of its own: `load.mjs`. @throws when it fails */
export const load = async (options: LoadOptions): Promise<Loaded> =>
  JSON.parse(await outputOf(join(import.meta.dirname, 'load.mjs'), [JSON.stringify(options)])) as Loaded
