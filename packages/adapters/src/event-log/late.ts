import { LogUnavailable, type Clock, type EventLog } from '@millrace/ports'

/** A log that need not be there yet. */
export interface LateLog extends EventLog {
  /** The log, opened if it is not. @throws what the opening threw */
  opened(): Promise<EventLog>
}

export interface LateLogOptions {
  open(): Promise<EventLog>
  readonly clock: Clock
  /** Nobody waits longer for it to be open. */
  readonly waitMsMax: number
}

/** Opens the log when it is first needed, and again at the next need where that failed: until then it is LOG_BUSY. */
export const createLateLog = ({ open, clock, waitMsMax }: LateLogOptions): LateLog => {
  let opening: Promise<EventLog> | null = null
  let log: EventLog | null = null
  let closed = false
  const opened = (): Promise<EventLog> => {
    if (closed) return Promise.reject(new LogUnavailable('LOG_CLOSED', 'the log is closed'))
    opening ??= open().then(
      (there) => (log = there),
      (error: unknown) => {
        opening = null
        throw error
      },
    )
    return opening
  }
  const inTime = (): Promise<EventLog> =>
    new Promise((resolve, reject) => {
      const cancel = clock.after(waitMsMax, () => reject(new Error(`it is not open after ${waitMsMax} ms`)))
      opened().then(resolve, reject).finally(cancel)
    })
  const there = async (): Promise<EventLog> => {
    if (log && !closed) return log
    try {
      return await inTime()
    } catch (error) {
      throw error instanceof LogUnavailable ? error : new LogUnavailable('LOG_BUSY', `the log cannot be opened: ${(error as Error).message}`, 2)
    }
  }
  return {
    opened,
    append: async (records) => (await there()).append(records),
    consume: async (options) => (await there()).consume(options),
    read: async (topic, partition, from, bounds) => (await there()).read(topic, partition, from, bounds),
    extents: async (topic) => (await there()).extents(topic),
    committed: async (group, topic, partition) => (await there()).committed(group, topic, partition),
    ready: async () => (await there()).ready(),
    close: async () => {
      closed = true
      if (log) return log.close()
      // One that is still being opened is closed when it is there: nobody waits for it.
      void opening?.then((there) => there.close()).catch(() => undefined)
    },
  }
}
