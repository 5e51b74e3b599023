import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKafkaLog, ensureKafkaTopics } from '@millrace/adapters'
import { topics } from '@millrace/contracts'
import type { HotStore } from '@millrace/ports'
import { kafkaMissing, startKafka, type RunningKafka } from '@millrace/testkit'
import { kafkaAccess, stackConfig, type StackConfig } from '@millrace/wiring'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/millrace.ts'
import { skipped } from '../support/requirements.ts'
import { cache } from './pipeline.ts'

const PASSWORD = 'a-secret'
const NO_STATE = {} as HotStore

/** Java's own tool makes a key and its certificate; its store is what the broker reads. */
const makeCertificate = (folder: string): { readonly store: string; readonly ca: string } => {
  const [store, ca] = [join(folder, 'broker.p12'), join(folder, 'broker.pem')]
  const keytool = (...args: readonly string[]): unknown => execFileSync('keytool', [...args, '-alias', 'broker', '-keystore', store, '-storepass', PASSWORD], { stdio: 'pipe' })
  keytool('-genkeypair', '-keyalg', 'RSA', '-storetype', 'PKCS12', '-dname', 'CN=broker', '-ext', 'san=ip:127.0.0.1', '-validity', '2')
  keytool('-exportcert', '-rfc', '-file', ca)
  return { store, ca }
}

describe.skipIf(skipped(['kafka'], 'a Kafka with TLS and users', kafkaMissing()))('a Kafka that lets in known users alone, over TLS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-secure-'))
  let broker: RunningKafka
  let brokers: readonly string[]
  let ca: string
  beforeAll(async () => {
    const [port, controllerPort, securePort] = [await freePort(), await freePort(), await freePort()]
    const made = makeCertificate(folder)
    ca = made.ca
    brokers = [`127.0.0.1:${securePort}`]
    broker = await startKafka(cache, {
      port, controllerPort,
      formatArgs: ['--add-scram', `SCRAM-SHA-512=[name=millrace,password=${PASSWORD}]`],
      properties: {
        listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort},SASL_SSL://127.0.0.1:${securePort}`,
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL',
        'ssl.keystore.location': made.store, 'ssl.keystore.password': PASSWORD, 'ssl.keystore.type': 'PKCS12',
        'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
        'listener.name.sasl_ssl.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_millrace="${PASSWORD}";`,
        'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      },
    })
  })
  afterAll(async () => {
    await broker?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const configOf = (more: Readonly<Record<string, string>>): StackConfig =>
    stackConfig.parse({ COPY_SLOT: '0', KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', KAFKA_TLS_CA_FILE: ca, KAFKA_USERNAME: 'millrace', KAFKA_PASSWORD: PASSWORD, ...more })

  it.each(['PLAIN', 'SCRAM-SHA-512'])('is written, read and consumed with %s', async (mechanism) => {
    const access = kafkaAccess(configOf({ KAFKA_SASL_MECHANISM: mechanism }))
    const prefix = `${mechanism.toLowerCase()}-`
    await ensureKafkaTopics(brokers, { prefix, access })
    const log = await createKafkaLog({ brokers, access, slot: '0', hot: NO_STATE, prefix })
    try {
      await log.append([{ topic: topics.accepted.name, partition: 2, value: Buffer.from('over TLS') }])
      expect((await log.read(topics.accepted.name, 2, 0, { recordsMax: 9, bytesMax: 999 })).map(({ value }) => String(value))).toEqual(['over TLS'])
      const seen: string[] = []
      const reading = await log.consume({
        group: 'reader', topics: [topics.accepted.name], batchRecordsMax: 9, batchBytesMax: 999, lingerMs: 0,
        open: async ({ committed }) => ({
          from: committed.offset,
          handle: async ({ records }) => {
            seen.push(...records.map(({ value }) => String(value)))
            return { outputs: [] }
          },
          close: async () => {},
        }),
        onFault: (error) => expect.unreachable(String(error)),
      })
      await reading.drain()
      await reading.stop()
      expect(seen).toEqual(['over TLS'])
      expect((await log.committed('reader', topics.accepted.name, 2)).offset).toBe(1)
    } finally {
      await log.close()
    }
  })

  it('is told in one sentence when the password is wrong, or the certificate is none that is known', async () => {
    const opened = (more: Readonly<Record<string, string>>): Promise<unknown> => createKafkaLog({ brokers, access: kafkaAccess(configOf(more)), slot: '0', hot: NO_STATE })
    await expect(opened({ KAFKA_PASSWORD: 'another' })).rejects.toThrow(/SASL|authentication/i)
    await expect(ensureKafkaTopics(brokers, { access: kafkaAccess(configOf({ KAFKA_TLS_CA_FILE: '' })) })).rejects.toThrow(/certificate/i)
    expect(() => kafkaAccess(configOf({ KAFKA_PASSWORD: '' }))).toThrow('KAFKA_USERNAME and KAFKA_PASSWORD must be set where KAFKA_SECURITY_PROTOCOL is SASL_SSL')
    expect(() => kafkaAccess(configOf({ KAFKA_TLS_CA_FILE: '/nowhere.pem' }))).toThrow('KAFKA_TLS_CA_FILE: ENOENT')
  })
})
