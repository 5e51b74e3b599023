import { z } from 'zod'
import { type Env, helpOf, readSettings, setting, type Setting, settings as startSettings, upConfig } from '../config.ts'
import { serviceNames, type ServiceName } from './routes.ts'

/** More than partitions would have nothing to do. */
const COPIES_MAX = 4

type Copies = Readonly<Record<ServiceName, number>>

/** `2`: of each service; `metrics=2,segmentation=2`: of these, one of the others. */
const copies = z.string().transform((text, context): Copies => {
  const asked = /^\d+$/.test(text) ? serviceNames.map((name) => [name, text]) : text.split(',').map((part) => part.trim().split('='))
  const given = new Map<string, number>()
  for (const [name, count] of asked) {
    const known = serviceNames.some((service) => service === name)
    const number = Number(count)
    if (!known || !Number.isInteger(number) || number < 1 || number > COPIES_MAX) {
      context.addIssue({ code: 'custom', message: `must be a number from 1 to ${COPIES_MAX}, or such as segmentation=2,metrics=2; services are ${serviceNames.join(', ')}` })
      return z.NEVER
    }
    given.set(name!, number)
  }
  return Object.fromEntries(serviceNames.map((name) => [name, given.get(name) ?? 1])) as Record<ServiceName, number>
})

/** What `npm run stack` is told: as `npm start`, without what belongs to one process. */
const localStackConfig = upConfig.omit({ sync: true, demo: true, demoPeople: true }).extend({ copies: copies.default({ ingest: 1, 'profile-builder': 1, segmentation: 1, metrics: 1 }), from: z.string().min(1).optional() })
export type LocalStackConfig = z.output<typeof localStackConfig>

const localStackSettings: readonly Setting<keyof LocalStackConfig>[] = [
  ...startSettings.filter((row): row is Setting<Exclude<keyof LocalStackConfig, 'copies' | 'from'>> => row.name !== 'sync' && row.name !== 'demo')
    .map((row) => (row.name === 'dataDir' ? { ...row, help: 'where all data is kept (.millrace-stack in the project)' } : row)),
  setting('from', 'from', 'FOLDER', 'fills an empty stack with all that a stopped npm start has in this folder'),
  setting('copies', 'copies', 'N', 'processes of each service (1), or of some: segmentation=2,metrics=2'),
]

export const localStackHelp = (): string => helpOf('npm run stack', localStackSettings)

/** @throws ConfigError with all faults at once; null when help was asked for */
export const readLocalStackConfig = (args: readonly string[], env: Env, defaultDataDir: string): LocalStackConfig | null =>
  readSettings(localStackConfig, localStackSettings, { args, env, defaultDataDir })
