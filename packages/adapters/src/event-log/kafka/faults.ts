import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** The type of a protocol error: `REBALANCE_IN_PROGRESS` and the like. */
export const errorType = (error: unknown): string => {
  const { type, cause } = error as { type?: string; cause?: unknown }
  return type ?? (cause ? errorType(cause) : '')
}

const NOT_RETRIABLE_FOR_KAFKAJS = new Set(['GROUP_LOAD_IN_PROGRESS', 'GROUP_COORDINATOR_NOT_AVAILABLE', 'NOT_COORDINATOR_FOR_GROUP', 'NOT_LEADER_FOR_PARTITION', 'UNKNOWN_TOPIC_OR_PARTITION'])

/** What a broker says while it starts or hands over, and every lost connection. */
export const isPassing = (error: unknown): boolean => {
  const { name, retriable } = error as { name?: string; retriable?: boolean }
  return retriable === true || NOT_RETRIABLE_FOR_KAFKAJS.has(errorType(error)) || /Connection|RequestTimeout|BrokerNotFound|CoordinatorNotFound|NumberOfRetries|MetadataNotLoaded|LockTimeout/.test(name ?? '')
}

/** Of the code that a broker answered with. */
export const errorOf = (code: number): Error =>
  (require('kafkajs/src/protocol/error.js') as { createErrorFromCode(code: number): Error }).createErrorFromCode(code)
