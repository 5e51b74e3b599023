import { LogUnavailable, type NewRecord } from '@millrace/ports'
import { chunksOf, topicMessages } from './chunks.ts'
import type { Line } from './client.ts'
import type { Names } from './names.ts'
import { inRound, type Round } from './send.ts'

export interface AppenderOptions {
  readonly createLine: () => Line
  readonly names: Names
  readonly waitingBytesMax: number
  /** An append that has no answer by then is refused. */
  readonly timeoutMs: number
}

export interface Appender {
  append(records: readonly NewRecord[]): Promise<void>
  close(): Promise<void>
}

interface Entry {
  readonly records: readonly NewRecord[]
  readonly bytes: number
  settle(error?: unknown): void
}

const SEND_BYTES_MAX = 8 * 1024 * 1024
const RETRY_AFTER_SECONDS = 2

/**
 * Appends that arrive while a request is under way share the next one; one is in flight at a time.
 * After any error the producer is thrown away, and what it holds is cut off. kafkajs gives the numbers of a failed request to the next one, and where
 * the failed one was written all the same the broker would take the next for a repeat: acknowledged, and lost.
 */
export const createAppender = ({ createLine, names, waitingBytesMax, timeoutMs }: AppenderOptions): Appender => {
  let queue: Entry[] = []
  let waiting = 0
  let sending: Promise<void> | null = null
  let line: Line | null = null

  /** One that is given up must touch no producer that others use after it, and send nothing more: its sender has come again. */
  const send = async (round: Round, entries: readonly Entry[]): Promise<void> => {
    const current = line ?? (await connected(createLine()))
    if (round.over) return current.producer.disconnect()
    line = current
    for (const chunk of chunksOf(entries.flatMap(({ records }) => records))) {
      if (!round.over) await current.producer.sendBatch({ acks: -1, topicMessages: [...inRound(topicMessages(chunk, names), round)] })
    }
  }
  const pump = async (): Promise<void> => {
    while (queue.length > 0) {
      const entries = take()
      const late = lateAfter(timeoutMs)
      const round = { over: false }
      try {
        await Promise.race([send(round, entries), late.promise])
        for (const entry of entries) entry.settle()
      } catch (error) {
        round.over = true
        const failed = line
        line = null
        failed?.cut()
        void failed?.producer.disconnect().catch(() => undefined)
        const refused = new LogUnavailable('LOG_BUSY', `Kafka took no record: ${(error as Error).message}`, RETRY_AFTER_SECONDS)
        for (const entry of entries) entry.settle(refused)
      } finally {
        late.cancel()
      }
    }
    sending = null
  }
  const take = (): readonly Entry[] => {
    let bytes = 0
    const count = queue.findIndex((entry, index) => index > 0 && (bytes += queue[index - 1]!.bytes) + entry.bytes > SEND_BYTES_MAX)
    const taken = count < 0 ? queue : queue.slice(0, count)
    queue = count < 0 ? [] : queue.slice(count)
    return taken
  }

  return {
    append(records) {
      const bytes = records.reduce((sum, { value }) => sum + value.length, 0)
      if (waiting > 0 && waiting + bytes > waitingBytesMax) throw new LogUnavailable('LOG_BUSY', `${waiting} bytes wait for the brokers`)
      waiting += bytes
      return new Promise((resolve, reject) => {
        const entry: Entry = {
          records, bytes,
          settle: (error) => {
            clearTimeout(late)
            waiting -= bytes
            if (error === undefined) resolve()
            else reject(error as Error)
          },
        }
        // It may wait behind others that all need their time: the bound is of the whole wait.
        const late = setTimeout(() => {
          if (!queue.includes(entry)) return
          queue = queue.filter((candidate) => candidate !== entry)
          entry.settle(new LogUnavailable('LOG_BUSY', `no broker took it within ${timeoutMs} ms`, RETRY_AFTER_SECONDS))
        }, timeoutMs)
        queue.push(entry)
        sending ??= pump()
      })
    },
    async close() {
      await sending
      await line?.producer.disconnect()
    },
  }
}

const connected = async (line: Line): Promise<Line> => {
  await line.producer.connect()
  return line
}

const lateAfter = (ms: number): { readonly promise: Promise<never>; cancel(): void } => {
  let cancel = (): void => {}
  const promise = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms)
    cancel = () => clearTimeout(timer)
  })
  return { promise, cancel }
}
