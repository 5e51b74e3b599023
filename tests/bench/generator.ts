import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What is sent for some seconds over connections that stay open. */
export interface Load {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  /** Events a request, each made anew; or a file of requests that are sent in turn. */
  readonly what: { readonly batch: number; readonly run: string; readonly authorization: string } | { readonly requests: string }
}

export interface LoadResult {
  readonly requests: number
  /** Answered with other than 2xx or 3xx. */
  readonly refused: number
  readonly broken: number
}

export interface Generator {
  readonly name: string
  send(load: Load): Promise<LoadResult>
}

const run = promisify(execFile)

/** `wrk` where it is installed, else autocannon: a generator that takes less of the cores leaves more for what is measured. */
export const findGenerator = (): Generator => (spawnSync('wrk', ['-v']).error ? { name: 'autocannon', send: byAutocannon } : { name: 'wrk', send: byWrk })

const byWrk = async ({ url, connections, seconds, what }: Load): Promise<LoadResult> => {
  const script = join(import.meta.dirname, 'requests' in what ? 'requests.lua' : 'ingest.lua')
  const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
  const env = 'requests' in what ? { REQUESTS: what.requests } : { BATCH: String(what.batch), RUN: what.run, AUTHORIZATION: what.authorization, DAY: day }
  const { stdout } = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url], { env: { ...process.env, ...env } })
  return resultOf(stdout)
}

const byAutocannon = async ({ what, ...load }: Load): Promise<LoadResult> => {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, 'cannon.mjs'), JSON.stringify({ ...load, ...what })], { maxBuffer: 1 << 26 })
  return resultOf(stdout)
}

const resultOf = (printed: string): LoadResult => {
  const [, requests, refused, broken] = /RESULT (\d+) (\d+) (\d+)/.exec(printed) ?? []
  if (requests === undefined) throw new Error(`the generator told no result: ${printed.slice(-300)}`)
  return { requests: Number(requests), refused: Number(refused), broken: Number(broken) }
}
