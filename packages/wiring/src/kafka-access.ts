import { readFileSync } from 'node:fs'
import type { KafkaAccess } from '@millrace/adapters'
import type { StackConfig } from './stack-config.ts'

export type KafkaAccessConfig = Pick<StackConfig, 'KAFKA_SECURITY_PROTOCOL' | 'KAFKA_TLS_CA_FILE' | 'KAFKA_SASL_MECHANISM' | 'KAFKA_USERNAME' | 'KAFKA_PASSWORD'>

/** @throws when the file of certificates cannot be read, or nobody is named where somebody must be */
export const kafkaAccess = (config: KafkaAccessConfig): KafkaAccess => ({
  tls: config.KAFKA_SECURITY_PROTOCOL.endsWith('SSL') ? { ca: certificates(config.KAFKA_TLS_CA_FILE) } : undefined,
  sasl: config.KAFKA_SECURITY_PROTOCOL.startsWith('SASL') ? userOf(config) : undefined,
})

const certificates = (file: string): string | undefined => {
  if (file === '') return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`KAFKA_TLS_CA_FILE: ${(error as Error).message}`, { cause: error })
  }
}

const userOf = ({ KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_MECHANISM, KAFKA_USERNAME, KAFKA_PASSWORD }: KafkaAccessConfig): KafkaAccess['sasl'] => {
  if (KAFKA_USERNAME === '' || KAFKA_PASSWORD === '') throw new Error(`KAFKA_USERNAME and KAFKA_PASSWORD must be set where KAFKA_SECURITY_PROTOCOL is ${KAFKA_SECURITY_PROTOCOL}`)
  return { mechanism: KAFKA_SASL_MECHANISM, username: KAFKA_USERNAME, password: KAFKA_PASSWORD }
}
