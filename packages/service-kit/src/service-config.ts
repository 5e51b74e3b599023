import { z } from 'zod'
import { logLevels } from './logger.ts'

const whole = (min: number, max: number) => z.coerce.number({ error: 'must be a number' }).int().min(min).max(max)
const names = z.string().transform((text) => text.split(',').map((name) => name.trim()).filter((name) => name !== ''))

/** What every service is told, beside its own settings and those of the stack. */
export const serviceConfig = z.object({
  HOST: z.string().min(1).default('127.0.0.1').describe('address to listen on; in a container 0.0.0.0'),
  PORT: whole(0, 65_535).default(8080).describe('port of the routes, `/healthz`, `/readyz` and `/metrics`'),
  HOST_NAMES: names.default([]).describe('names, comma-separated, under which browsers reach Millrace through the front door; `localhost` and bare addresses are always served'),
  TRUSTED_PROXIES: names.default([]).describe('addresses, ranges (`10.0.0.0/8`) or the words `loopback`, `linklocal`, `uniquelocal` of proxies, comma-separated, whose `X-Forwarded-For`, `-Host` and `-Proto` are believed'),
  LOG_LEVEL: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }).default('info').describe('least level that is told on the standard output, as JSON'),
  SERVICE_START_MS_MAX: whole(100, 3_600_000).default(90_000).describe('bound of a start, the wait for set-up included; beyond it the process ends with code 1, to be started again'),
  SERVICE_STOP_MS_MAX: whole(100, 600_000).default(20_000).describe('bound of a stop; beyond it the exit code is 1, and nothing is lost by that'),
})
export type ServiceConfig = z.infer<typeof serviceConfig>
