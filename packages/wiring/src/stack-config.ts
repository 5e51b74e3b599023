import { z } from 'zod'

const whole = (min: number, max: number) => z.coerce.number({ error: 'must be a number' }).int().min(min).max(max)
const list = z.string().transform((text) => text.split(',').map((part) => part.trim()).filter((part) => part !== ''))

/** What a process of the stack is told of the engines; names as in the environment. */
export const stackConfig = z.object({
  COPY_SLOT: z.string({ error: 'must be set: the stable number of this copy of the service (0, 1, …), unless the host name ends with one, such as -0' })
    .regex(/^[\w.-]{1,40}$/, { error: 'must be 1 to 40 letters, digits, dots, dashes or underscores' })
    .describe('stable number of this copy of the service: 0, 1, …; from the host name where that ends with `-<number>`'),
  KAFKA_BROKERS: list.refine((brokers) => brokers.length > 0, { error: 'must name a broker' }).default(['127.0.0.1:9092']).describe('Kafka brokers, comma-separated'),
  KAFKA_PREFIX: z.string().regex(/^[\w.-]{0,60}$/, { error: 'must be at most 60 letters, digits, dots, dashes or underscores' }).default('').describe('before every topic, group and transactional id, where several Millraces share a Kafka'),
  KAFKA_SECURITY_PROTOCOL: z.enum(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'], { error: 'must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL' }).default('PLAINTEXT').describe('how brokers are reached, by Kafka\'s own names: SSL is TLS, SASL is with a user'),
  KAFKA_TLS_CA_FILE: z.string().default('').describe('file of certificates (PEM) that the brokers\' own must lead to; empty: those that Node knows'),
  KAFKA_SASL_MECHANISM: z.string().toLowerCase().pipe(z.enum(['plain', 'scram-sha-256', 'scram-sha-512'], { error: 'must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512' })).default('scram-sha-512').describe('how the user is proved, with SASL'),
  KAFKA_USERNAME: z.string().default('').describe('user of the brokers, with SASL'),
  KAFKA_PASSWORD: z.string().default('').describe('its password'),
  KAFKA_REPLICATION: whole(1, 9).default(1).describe('copies of each partition of the topics that set-up makes; 3 where there are three brokers or more'),
  KAFKA_RETENTION_DAYS: list.transform((parts) => parts.map((part) => part.split('='))).refine((pairs) => pairs.every(([topic, days]) => topic && Number(days) > 0), { error: 'must be such as events.resolved=30' })
    .transform((pairs) => Object.fromEntries(pairs.map(([topic, days]) => [topic!, Number(days)]))).default({})
    .describe('days that a topic is kept, `events.resolved=30`, comma-separated; not named: everything, events.rejected 30'),
  REDIS_URLS: list.refine((urls) => urls.length > 0 && urls.every((url) => /^rediss?:\/\//.test(url)), { error: 'must be such as redis://host:6379' }).default(['redis://127.0.0.1:6379'])
    .describe('Redis, `redis[s]://[user:password@]host:port[/db]`; several, comma-separated, are nodes of one Redis Cluster'),
  REDIS_PREFIX: z.string().regex(/^[^{}\s]{1,60}$/, { error: 'must be 1 to 60 characters without braces and spaces' }).default('millrace').describe('before every key, where several Millraces share a Redis'),
  CLICKHOUSE_URL: z.url().default('http://127.0.0.1:8123').describe("ClickHouse's HTTP interface"),
  CLICKHOUSE_USER: z.string().min(1).default('default').describe('user who may write and change tables'),
  CLICKHOUSE_PASSWORD: z.string().default('').describe('password of that user'),
  SET_UP_WAIT_MS_MAX: whole(0, 3_600_000).default(60_000).describe('how long a start waits for topics and tables that set-up makes; then it ends with code 1'),
  MILLRACE_TEST_CLOCK: z.string().default('').describe('for tests only: a file whose number is the time'),
})
export type StackConfig = z.infer<typeof stackConfig>

/** The number at the end of a host name, as a StatefulSet gives it: `fold-2` is copy 2. */
export const slotOf = (hostName: string): string | undefined => /-(\d{1,5})$/.exec(hostName)?.[1]
