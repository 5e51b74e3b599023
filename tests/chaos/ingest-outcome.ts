import { decodeRecord, topics } from '@millrace/contracts'
import type { EventLog } from '@millrace/ports'
import { messageId, range, type Request } from './ingest-senders.ts'

export interface Outcome {
  /** Answered, and not in the log. */
  readonly lost: readonly string[]
  /** In the log more than once, although it was sent once. */
  readonly twice: readonly string[]
  /** Devices whose events do not stand in the order in which they were sent. */
  readonly disordered: readonly number[]
  /** Beyond the first, of events that their senders repeated. */
  readonly repeats: number
  readonly events: number
}

/** What became of all that was sent, by all that events.accepted holds. */
export const outcomeOf = async (log: EventLog, requests: readonly Request[]): Promise<Outcome> => {
  const partitions = await Promise.all((await log.extents(topics.accepted.name)).map(({ partition }) => idsIn(log, partition)))
  const ids = partitions.flat()
  const times = new Map<string, number>()
  for (const id of ids) times.set(id, (times.get(id) ?? 0) + 1)
  const sent = requests.flatMap((request) => range(request.from, request.to).map((n) => ({ id: messageId(request.device, n), request })))
  const once = sent.filter(({ request }) => request.attempts === 1)
  const firsts = [...times.keys()].map((id) => id.split('-').map(Number) as [device: number, n: number])
  return {
    lost: sent.filter(({ id, request }) => request.answered && !times.has(id)).map(({ id }) => id),
    twice: once.filter(({ id }) => (times.get(id) ?? 0) > 1).map(({ id }) => id),
    disordered: [...new Set(requests.map(({ device }) => device))].filter((device) => !ascends(firsts.filter(([own]) => own === device).map(([, n]) => n))),
    repeats: ids.length - times.size - once.reduce((sum, { id }) => sum + Math.max(0, (times.get(id) ?? 0) - 1), 0),
    events: ids.length,
  }
}

const ascends = (numbers: readonly number[]): boolean => numbers.every((n, index) => index === 0 || n > numbers[index - 1]!)

const idsIn = async (log: EventLog, partition: number): Promise<readonly string[]> => {
  const ids: string[] = []
  for (let from = 0; ; ) {
    const records = await log.read(topics.accepted.name, partition, from, { recordsMax: 1_000, bytesMax: 8_000_000 })
    if (records.length === 0) return ids
    for (const { value } of records) ids.push(...decodeRecord(value).lines().map((line) => (JSON.parse(String(line)) as { messageId: string }).messageId))
    from = records.at(-1)!.offset + 1
  }
}
