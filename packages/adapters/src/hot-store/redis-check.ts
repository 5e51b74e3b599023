import type { Cluster, Redis } from 'ioredis'
import type { RedisHotStoreOptions } from './redis.ts'

/** This Redis would lose parts of the state by itself. */
export class RedisUnfit extends Error {
  override readonly name = 'RedisUnfit'
}

/** By INFO, which hosted services answer, too; CONFIG they often refuse. */
export const checkRedis = async (client: Redis | Cluster, warn: NonNullable<RedisHotStoreOptions['onWarning']>): Promise<void> => {
  const nodes = 'nodes' in client ? client.nodes('master') : [client]
  let durable = true
  for (const node of nodes) {
    const info = await node.info()
    const policy = valueOf(info, 'maxmemory_policy')
    if (policy !== undefined && policy !== 'noeviction') {
      throw new RedisUnfit(`Redis runs with maxmemory-policy ${policy} and would drop parts of the state when it is full: set it to noeviction`)
    }
    durable &&= valueOf(info, 'aof_enabled') !== '0'
  }
  if (durable) return
  warn({
    event: 'redis.not-durable',
    message: 'Redis keeps no append-only file: after a restart every state is folded again from the log; set appendonly yes',
  })
}

const valueOf = (info: string, name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
