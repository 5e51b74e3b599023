import { fieldsOf } from '../fields.ts'
import type { ProtocolReader } from './read-line.ts'

/** The shape is Segment's. One library serves pages and servers, and says in `env` where it runs. */
export const readJitsu: ProtocolReader = (raw) => {
  const { env } = fieldsOf(fieldsOf(raw['context'])['library'])
  return env === 'node' && raw['channel'] === undefined ? { ...raw, channel: 'server' } : raw
}
