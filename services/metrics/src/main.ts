import { hostname } from 'node:os'
import { clickHouseHttpDefaults, createClickHouseServer } from '@millrace/clickhouse-http'
import {
  apiAccessOf, doorPart, endWithFault, pageRoutes, projectRoutes, readConfig, runServiceProcess, serviceConfig, signInRoutes, sourceRoutes,
  type Service, type ServiceKit,
} from '@millrace/service-kit'
import { createStack, slotOf, stackConfig } from '@millrace/wiring'
import { z } from 'zod'
import { analystsDoorConfig, metricsConfig } from './config.ts'
import { createMetrics } from './service.ts'

const settings = z.object({ ...serviceConfig.shape, ...stackConfig.shape, ...metricsConfig.shape, ...analystsDoorConfig.shape })

const main = async (): Promise<void> => {
  const config = readConfig(settings, { COPY_SLOT: slotOf(hostname()), ...process.env })
  await runServiceProcess(process, {
    name: 'metrics',
    config,
    open: (logger) => createStack({ config, needsColumns: true, onWarning: (warning) => logger.warn(warning) }),
    create: (kit) => createService(kit, config),
  })
}

/** Beside questions: the page, its sign-in, projects, and the analysts' door, which all stand on what metrics answers. */
const createService = (kit: ServiceKit, config: z.infer<typeof settings>): Service => {
  const metrics = createMetrics(kit, config)
  const analysts = createClickHouseServer({ ...kit, authenticate: async (key) => (await apiAccessOf(kit.projects, key))?.project.id ?? null }, clickHouseHttpDefaults)
  const address = { host: config.HOST, port: config.ANALYSTS_PORT, flag: 'ANALYSTS_PORT' }
  return {
    ...metrics,
    routes: [signInRoutes(kit), projectRoutes(kit), sourceRoutes(kit), metrics.routes, pageRoutes(kit)],
    doors: [doorPart('analysts', analysts, address, (url) => kit.logger.info({ event: 'analysts.listens', url }))],
  }
}

await main().catch(endWithFault(process))
