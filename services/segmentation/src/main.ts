import { hostname } from 'node:os'
import { endWithFault, readConfig, runServiceProcess, serviceConfig } from '@millrace/service-kit'
import { createStack, slotOf, stackConfig } from '@millrace/wiring'
import { z } from 'zod'
import { segmentationConfig } from './config.ts'
import { createSegmentation } from './service.ts'

const settings = z.object({ ...serviceConfig.shape, ...stackConfig.shape, ...segmentationConfig.shape })

const main = async (): Promise<void> => {
  const config = readConfig(settings, { COPY_SLOT: slotOf(hostname()), ...process.env })
  await runServiceProcess(process, {
    name: 'segmentation',
    config,
    open: (logger) => createStack({ config, needsColumns: true, onWarning: (warning) => logger.warn(warning) }),
    create: (kit) => {
      const segmentation = createSegmentation(kit, config)
      return { ...segmentation, routes: [segmentation.routes] }
    },
  })
}

await main().catch(endWithFault(process))
