import { SubscriptionEnded, type Clock } from '@millrace/ports'
import type { Logger } from './logger.ts'
import { within } from './within.ts'

/** Something that starts, and stops as the mirror of it. */
export interface Part {
  readonly name: string
  start(): Promise<void>
  stop(): Promise<void>
}

export interface Running {
  /** Stops all parts in reverse order; a second call waits for the first. Resolves false when the bound passed. */
  stop(): Promise<boolean>
}

const STOP_MS_MAX = 20_000

/** Starts the parts in order; when one fails, those before it are stopped again and the fault is thrown. */
export const startParts = async (
  parts: readonly Part[],
  { logger, clock, stopMsMax = STOP_MS_MAX }: { readonly logger: Logger; readonly clock: Clock; readonly stopMsMax?: number },
): Promise<Running> => {
  const started: Part[] = []
  const stopAll = async (): Promise<void> => {
    for (const part of started.splice(0).reverse()) {
      await part.stop().catch((error: unknown) => logger.error({ event: 'part.stop-failed', part: part.name, err: error }))
    }
  }
  const bounded = (): Promise<boolean> => within(clock, stopMsMax, stopAll().then(() => true), false)
  let stopping: Promise<boolean> | undefined
  try {
    for (const part of parts) {
      await part.start()
      started.push(part)
    }
  } catch (error) {
    await bounded()
    throw error
  }
  return { stop: () => (stopping ??= bounded()) }
}

/** What `runService` needs of node's `process`; main.ts hands it in. */
export interface HostProcess {
  once(signal: 'SIGTERM' | 'SIGINT', handler: () => void): unknown
  exit(code: number): void
}

/** Start, then stop on SIGTERM or SIGINT: exit code 0 when all stopped within the bound, else 1. */
export const runService = async (
  parts: readonly Part[],
  host: HostProcess,
  options: { readonly logger: Logger; readonly clock: Clock; readonly stopMsMax?: number },
): Promise<Running> => {
  const running = await startParts(parts, options)
  const end = (): void => {
    options.logger.info({ event: 'service.stopping' })
    void running.stop().then((clean) => host.exit(clean ? 0 : 1))
  }
  host.once('SIGTERM', end)
  host.once('SIGINT', end)
  options.logger.info({ event: 'service.started' })
  return running
}

/**
 * The `onFault` of a consumer: the adapter retries by itself, the log must tell. When it says that it retries no more,
 * the process ends by an uncaught fault: a service that looks alive and reads nothing would be seen by nobody.
 */
export const consumeFaults = (logger: Pick<Logger, 'error'>, group: string) => (error: unknown, at: { topic: string; partition: number }): void => {
  if (error instanceof SubscriptionEnded) {
    logger.error({ event: 'consumer.ended', group, err: error }, 'nothing is read any more: the process ends')
    queueMicrotask(() => {
      throw error
    })
    return
  }
  logger.error({ event: 'consumer.fault', group, ...at, err: error }, 'the partition is opened again')
}
