import { createRequire } from 'node:module'
import { HotStoreUnavailable } from '@millrace/ports'
import type { Cluster, Redis, RedisOptions } from 'ioredis'
import { scripts } from './redis-scripts.ts'
import type { Argument } from './redis-writes.ts'

/** The client flattens one level: lists are taken as they are, however long. */
type Script = (keys: number, ...args: readonly (Argument | readonly Argument[])[]) => Promise<unknown>
type Client = (Redis | Cluster) & {
  readonly millraceWatermark: Script
  readonly millraceApply: Script
  readonly millraceScanBuffer: Script
  readonly millraceSwap: Script
}

export interface ConnectionOptions {
  /** `redis[s]://[user:password@]host:port[/db]`; several are nodes of one Redis Cluster. */
  readonly urls: readonly string[]
  /** How long Redis may be silent, and how long a start waits for it. */
  readonly answerMs: number
}

const CONNECT_MS = 5_000
const PAUSE_MS = 50
const PAUSE_MS_MAX = 2_000
/** Commands that wait for an answer. Consumers have one each at most, routes a few: far above what a sound process has. */
const WAITING_MAX = 10_000

export interface Connection {
  /** Runs commands; a Redis that does not answer or refuses becomes HotStoreUnavailable. */
  ask<Answer>(commands: (client: Client) => Promise<Answer>): Promise<Answer>
  close(): Promise<void>
}

/** @throws HotStoreUnavailable when none answers in `answerMs` */
export const connectRedis = async ({ urls, answerMs }: ConnectionOptions): Promise<Connection> => {
  const client = createClient(urls, answerMs)
  const place = urls.map((url) => new URL(url).host).join(', ')
  let fault: Error | undefined
  client.on('error', (error: Error) => {
    fault = error
  })
  for (const [name, lua] of Object.entries(scripts)) client.defineCommand(name, { lua })
  await untilReady(client, answerMs).catch(() => {
    client.disconnect()
    throw new HotStoreUnavailable(`no Redis answers at ${place}${fault ? `: ${fault.message}` : ''}`)
  })
  const waiting = new Set<Promise<unknown>>()
  return {
    ask: async (commands) => {
      if (waiting.size >= WAITING_MAX) throw new HotStoreUnavailable(`${waiting.size} commands wait for Redis at ${place}`)
      const answer = commands(client)
      waiting.add(answer)
      try {
        return await answer
      } catch (error) {
        throw faultOf(error as Error & { command?: unknown }, place)
      } finally {
        waiting.delete(answer)
      }
    },
    close: async () => {
      await Promise.allSettled(waiting)
      client.disconnect()
    },
  }
}

/**
 * Nothing is sent twice by the client: a command whose connection broke is answered with the fault, because a swap
 * that was done would be done again. What is asked while there is no connection waits for the next try, not longer.
 */
const createClient = (urls: readonly string[], answerMs: number): Client => {
  const { Redis: RedisClass, Cluster: ClusterClass } = createRequire(import.meta.url)('ioredis') as typeof import('ioredis')
  const nodes = urls.map(parseUrl)
  if (nodes.length === 0) throw new Error('the hot store needs the URL of a Redis')
  const shared: RedisOptions = {
    lazyConnect: true, connectTimeout: CONNECT_MS, commandTimeout: answerMs, socketTimeout: answerMs, maxLoadingRetryTime: answerMs,
    maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false, disableClientInfo: true, retryStrategy: pauseOf,
  }
  if (nodes.length === 1) return new RedisClass({ ...shared, ...nodes[0]! }) as Client
  const { username, password, tls } = nodes[0]!
  const credentials = { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }), ...(tls ? { tls } : {}) }
  return new ClusterClass(nodes.map(({ host, port }) => ({ host, port })), {
    lazyConnect: true, clusterRetryStrategy: pauseOf, retryDelayOnFailover: 0, slotsRefreshInterval: 5_000,
    redisOptions: { ...shared, ...credentials },
  }) as Client
}

const pauseOf = (times: number): number => Math.min(PAUSE_MS * 2 ** Math.min(times - 1, 10), PAUSE_MS_MAX)

interface Node {
  readonly host: string
  readonly port: number
  readonly db?: number
  readonly username?: string
  readonly password?: string
  readonly tls?: object
}

const parseUrl = (text: string): Node => {
  const url = URL.canParse(text) ? new URL(text) : null
  const db = Number(url?.pathname.slice(1) || 0)
  if (!url || !['redis:', 'rediss:'].includes(url.protocol) || !url.hostname || !Number.isInteger(db)) {
    throw new Error('the URL of Redis must be redis://[user:password@]host[:port][/db], or rediss://')
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    ...(db > 0 ? { db } : {}),
    ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  }
}

const untilReady = (client: Client, ms: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('late')), ms)
    client.once('ready', () => {
      clearTimeout(late)
      resolve()
    })
    // The first try may fail: the client goes on trying, and `late` ends it.
    client.connect().catch(() => undefined)
  })

/** Refusals that pass: the server starts, is full, has lost its disk or its cluster. Within a script a dash stands before them. */
const PASSING = /(?:^|-)(?:LOADING|OOM|MISCONF|READONLY|BUSY|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|NOREPLICAS|ERR max number of clients)/
const BROKEN = /Connection is closed|Command timed out|Command aborted|isn't ready|isn't writeable|Too many Cluster redirections|ECONN|EPIPE|ETIMEDOUT|Socket timeout/

const faultOf = (error: Error & { command?: unknown }, place: string): Error => {
  // The client hangs the whole command on its faults: people's documents, which belong in no log.
  delete error.command
  const passes = error.name === 'MaxRetriesPerRequestError' || error.name === 'ClusterAllFailedError' || PASSING.test(error.message) || BROKEN.test(error.message)
  return passes ? new HotStoreUnavailable(`Redis at ${place} takes no command now: ${error.message}`, { cause: error }) : error
}
