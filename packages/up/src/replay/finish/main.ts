import { ConfigError } from '@millrace/service-kit'
import { StartFault } from '../../folder/fault.ts'
import { openFolder } from '../../folder/open-folder.ts'
import { openMessages } from '../../messages.ts'
import { runToTheEnd } from '../flow.ts'
import { standingClock } from '../standing-clock.ts'

/** Brings one folder to the end of its log, as its next start would. A process of its own: chDB opens one folder in each. */
const main = async (dataDir: string, logAlone: boolean): Promise<void> => {
  const { logger } = openMessages('warn', null, (line) => console.error(line))
  const opened = await openFolder({ dataDir, sync: 'disk' }, { clock: standingClock(), logAlone })
  try {
    await runToTheEnd(opened.ports, { logger })
  } finally {
    await opened.close()
  }
}

try {
  await main(process.argv[2]!, process.argv[3] === '--log-alone')
} catch (error) {
  console.error(error instanceof StartFault || error instanceof ConfigError ? error.message : error)
  process.exitCode = 1
}
