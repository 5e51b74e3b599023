import { parseArgs } from 'node:util'
import type { KafkaTopicSettings } from '@millrace/adapters'

export const HELP = `Usage: npm run topics -- --brokers HOST:PORT[,HOST:PORT] [options]

Creates the topics that Millrace needs and are missing in Kafka, and checks those that are there: number of partitions,
replicas, cleanup policy, retention, size of records. Changes nothing that exists; every difference is named, exit code 1.

  --replication N        copies of each partition (1); with 3 or more, an append needs two of them
  --prefix TEXT          before every name, where several Millraces share one Kafka
  --keep TOPIC=DAYS      delete records after so many days; default: events.rejected 30 days, everything else is kept
  --keep-bytes TOPIC=N   delete the oldest records of a partition over so many bytes

The state of profiles, segments and the map is rebuilt from events.accepted, events.resolved and identity.facts: what
is deleted there can be rebuilt no more. Give each process of Millrace the same options.
`

export interface TopicsCommand {
  readonly brokers: readonly string[]
  readonly settings: KafkaTopicSettings
}

const DAY_MS = 86_400_000
const OPTIONS = {
  help: { type: 'boolean' },
  brokers: { type: 'string' },
  replication: { type: 'string' },
  prefix: { type: 'string' },
  keep: { type: 'string', multiple: true },
  'keep-bytes': { type: 'string', multiple: true },
} as const

/** Null: help was asked for. @throws with one sentence for the user */
export const topicsCommand = (args: readonly string[]): TopicsCommand | null => {
  const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: true })
  if (values.help) return null
  if (!values.brokers) throw new Error('Name the brokers: npm run topics -- --brokers 127.0.0.1:9092')
  const replication = Number(values.replication ?? 1)
  if (!Number.isInteger(replication) || replication < 1) throw new Error('--replication must be a whole number of 1 or more')
  const days = amounts('--keep', values.keep ?? [])
  const bytes = amounts('--keep-bytes', values['keep-bytes'] ?? [])
  const names = [...new Set([...days.keys(), ...bytes.keys()])]
  const retention = Object.fromEntries(names.map((name) => [name, retentionOf(days.get(name), bytes.get(name))]))
  return { brokers: values.brokers.split(','), settings: { replication, prefix: values.prefix ?? '', retention } }
}

const retentionOf = (days: number | undefined, bytes: number | undefined) => ({
  ...(days === undefined ? {} : { ms: Math.round(days * DAY_MS) }),
  ...(bytes === undefined ? {} : { bytes: Math.round(bytes) }),
})

const amounts = (flag: string, texts: readonly string[]): ReadonlyMap<string, number> =>
  new Map(texts.map((text) => {
    const [name, amount] = text.split('=')
    if (!name || !amount || !(Number(amount) > 0)) throw new Error(`${flag} needs TOPIC=NUMBER, not ${text}`)
    return [name, Number(amount)]
  }))
