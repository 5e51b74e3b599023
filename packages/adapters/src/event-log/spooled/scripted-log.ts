import { allTopics } from '@millrace/contracts'
import { LogUnavailable, type EventLog, type LogRecord, type NewRecord } from '@millrace/ports'

/** What becomes of an append: taken; taken, but its answer is lost; refused; refused, and it arrives when the log has been asked for its end twice. */
export type Outcome = 'taken' | 'answer-lost' | 'refused' | 'arrives-later'

/** A log in memory, for tests of what stands before it. It fails on command. */
export interface ScriptedLog {
  readonly log: EventLog
  /** What becomes of the next appends. */
  script: (records: readonly NewRecord[]) => Outcome
  /** Between an append and its answer. */
  answering: () => Promise<void>
  /** Nothing is answered at all. */
  away: boolean
  /** Offsets from the end that are not shown, as behind an open transaction. */
  hidden: number
  readonly counts: { appends: number; extents: number; reads: number }
  /** The values of a partition, as text. */
  texts(topic: string, partition: number): readonly string[]
  /** Whoever appended before counts as killed: nothing of it is taken any more. @returns the log of who comes next */
  successor(): EventLog
}

export const createScriptedLog = (): ScriptedLog => {
  const places = new Map<string, Uint8Array[]>()
  const counts = { appends: 0, extents: 0, reads: 0 }
  const late: { readonly records: readonly NewRecord[]; asked: number }[] = []
  let living = 0

  const at = (topic: string, partition: number): Uint8Array[] => {
    const name = `${topic}/${partition}`
    const found = places.get(name) ?? []
    places.set(name, found)
    return found
  }
  const take = (records: readonly NewRecord[]): void => records.forEach(({ topic, partition, value }) => at(topic, partition).push(value))
  const checkThere = (): void => {
    if (scripted.away) throw new LogUnavailable('LOG_BUSY', 'nobody answers', 2)
  }
  const logOf = (life: number): EventLog => ({
    append: async (records) => {
      counts.appends++
      await tick()
      if (life !== living) throw new LogUnavailable('LOG_CLOSED', 'killed')
      checkThere()
      const outcome = scripted.script(records)
      if (outcome === 'taken' || outcome === 'answer-lost') take(records)
      if (outcome === 'arrives-later') late.push({ records, asked: 0 })
      await scripted.answering()
      if (outcome !== 'taken') throw new LogUnavailable('LOG_BUSY', outcome, 2)
    },
    extents: async (topic) => {
      counts.extents++
      await tick()
      checkThere()
      for (const given of late.splice(0)) {
        if (given.records.some((record) => record.topic === topic)) given.asked++
        if (given.asked >= 2) take(given.records)
        else late.push(given)
      }
      const { partitions } = allTopics.find(({ name }) => name === topic)!
      return Array.from({ length: partitions }, (_, partition) => ({ partition, first: 0, next: at(topic, partition).length }))
    },
    read: async (topic, partition, from, { recordsMax }) => {
      counts.reads++
      await tick()
      checkThere()
      const shown = at(topic, partition).slice(0, Math.max(0, at(topic, partition).length - scripted.hidden))
      return shown.slice(from, from + recordsMax).map((value, index): LogRecord => ({ topic, partition, offset: from + index, value }))
    },
    consume: () => Promise.reject(new Error('nobody consumes it')),
    committed: () => Promise.reject(new Error('nobody consumes it')),
    ready: async () => checkThere(),
    close: async () => {},
  })
  const scripted: ScriptedLog = {
    log: logOf(0),
    script: () => 'taken',
    answering: tick,
    away: false,
    hidden: 0,
    counts,
    texts: (topic, partition) => at(topic, partition).map((value) => Buffer.from(value).toString()),
    successor: () => logOf(++living),
  }
  return scripted
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
