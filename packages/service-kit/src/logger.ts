import { type DestinationStream, type Logger, pino } from 'pino'

export type { Logger }

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/** Events, not sentences: `logger.warn({ event: 'batch.retried', topic }, 'insert refused, will retry')`. */
export const createLogger = (level: LogLevel, destination?: DestinationStream): Logger => {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    // Keys open doors; they are not for a log that is shipped elsewhere.
    redact: { paths: ['headers.authorization', 'headers.cookie', 'writeKey', 'apiKey', '*.writeKey', '*.apiKey'], censor: '…' },
  }
  return destination ? pino(options, destination) : pino(options)
}
