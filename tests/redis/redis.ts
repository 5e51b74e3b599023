import { join } from 'node:path'
import { redisMissing, startRedis, type RunningRedis } from '@millrace/testkit'

export const cache = join(import.meta.dirname, '../../node_modules/.cache/millrace')
/** Why the tests of this folder cannot run here, or null. */
export const missing = redisMissing(cache)

/** One server that has all slots of a cluster: what goes over two slots is refused by it. */
export const startCluster = async (): Promise<RunningRedis> => {
  const server = await startRedis(cache, { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' })
  const slots = Array.from({ length: 16_384 }, (_, slot) => String(slot))
  const answer = await server.command('CLUSTER', 'ADDSLOTS', ...slots)
  if (answer !== '+OK') throw new Error(`the cluster took no slots: ${answer}`)
  return server
}
