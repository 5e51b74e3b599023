import { hostname } from 'node:os'
import { endWithFault, readConfig, runServiceProcess, serviceConfig } from '@millrace/service-kit'
import { createStack, slotOf, stackConfig } from '@millrace/wiring'
import { z } from 'zod'
import { profileBuilderConfig } from './config.ts'
import { createProfileBuilder } from './service.ts'

const settings = z.object({ ...serviceConfig.shape, ...stackConfig.shape, ...profileBuilderConfig.shape })

const main = async (): Promise<void> => {
  const config = readConfig(settings, { COPY_SLOT: slotOf(hostname()), ...process.env })
  await runServiceProcess(process, {
    name: 'profile-builder',
    config,
    open: (logger) => createStack({ config, needsColumns: true, onWarning: (warning) => logger.warn(warning) }),
    create: (kit) => {
      const profileBuilder = createProfileBuilder(kit, config)
      return { ...profileBuilder, routes: [profileBuilder.routes] }
    },
  })
}

await main().catch(endWithFault(process))
