import { hostname } from 'node:os'
import { endWithFault, readConfig, runServiceProcess, serviceConfig } from '@millrace/service-kit'
import { createStack, slotOf, stackConfig } from '@millrace/wiring'
import { z } from 'zod'
import { type IngestConfig, ingestConfig } from './config.ts'
import { createIngest } from './service.ts'

const settings = z.object({ ...serviceConfig.shape, ...stackConfig.shape, ...ingestConfig.shape })

const main = async (): Promise<void> => {
  const config = readConfig(settings, { COPY_SLOT: slotOf(hostname()), ...process.env })
  await runServiceProcess(process, {
    name: 'ingest',
    config,
    // Events are taken while ClickHouse is away.
    open: (logger) => createStack({ config, needsColumns: false, spool: spoolOf(config), onWarning: (warning) => logger.warn(warning) }),
    create: (kit) => {
      const ingest = createIngest(kit, config)
      return { ...ingest, routes: [ingest.routes] }
    },
  })
}

const spoolOf = ({ SPOOL_DIR: dir, SPOOL_BYTES_MAX: bytesMax }: IngestConfig) => (dir === undefined ? undefined : { dir, bytesMax })

await main().catch(endWithFault(process))
