import { spawn } from 'node:child_process'
import { join } from 'node:path'

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
export const load = (options: LoadOptions): Promise<Loaded> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'load.mjs'), JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const killed = (): void => void child.kill()
    process.once('exit', killed)
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => (text += String(chunk)))
    child.once('exit', (code) => {
      process.off('exit', killed)
      if (code === 0) resolve(JSON.parse(text) as Loaded)
      else reject(new Error(`the load ended with code ${code}`))
    })
  })
