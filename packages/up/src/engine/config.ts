import { logLevels } from '@millrace/service-kit'
import { z } from 'zod'

const whole = (min: number, max: number) => z.coerce.number({ error: 'must be a number' }).int().min(min).max(max)

/** What the engine process is told; names as in the environment. */
export const engineConfig = z.object({
  ENGINE_DATA_DIR: z.string({ error: 'must be set: the folder of the tables, which this process alone may have' }).min(1).describe('folder of the tables'),
  ENGINE_HOST: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
  ENGINE_PORT: whole(0, 65_535).default(8124).describe("ClickHouse's HTTP interface for the services; 0: any free one"),
  CLICKHOUSE_USER: z.string().min(1).default('default').describe('the one user, who may do everything'),
  CLICKHOUSE_PASSWORD: z.string().default('').describe('password of that user; without one it listens on this machine only'),
  ENGINE_CLIENTS: whole(1, 64).default(6).describe('statements that run at once; UV_THREADPOOL_SIZE must be above it'),
  ENGINE_MEMORY_BYTES_MAX: whole(100_000_000, 1e13).default(1_400_000_000).describe('what all statements together may take'),
  LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info').describe(logLevels.join(', ')),
}).refine((config) => config.CLICKHOUSE_PASSWORD !== '' || /^(127\.\d+\.\d+\.\d+|localhost|::1)$/.test(config.ENGINE_HOST), {
  error: 'must be set where ENGINE_HOST is not this machine alone', path: ['CLICKHOUSE_PASSWORD'],
})
export type EngineConfig = z.output<typeof engineConfig>
