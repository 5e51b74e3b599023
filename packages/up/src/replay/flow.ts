import { createMetrics, metricsConfig } from '@millrace/metrics'
import type { NewRecord } from '@millrace/ports'
import { createProfileBuilder } from '@millrace/profile-builder'
import { createSegmentation, isBackfilling, segmentationConfig } from '@millrace/segmentation'
import { createProjects, startParts, type Logger } from '@millrace/service-kit'
import { createSystemClock } from '@millrace/adapters'
import { drainAll } from '../drain.ts'
import type { Ports } from '../folder/open-folder.ts'
import { refoldLog } from './refold-log.ts'

export interface FlowOptions {
  readonly logger: Logger
  readonly recorded?: ReadonlySet<string>
  readonly dropped?: (group: string, records: readonly NewRecord[]) => void
}

const STOP_MS_MAX = 20_000
/** Each fault is tried again after a pause; so many mean that it will not go away. */
const FAULTS_MAX = 30
const BACKFILL_POLL_MS = 100
const BACKFILL_POLLS_MAX = 6_000

/**
 * All consumers over an open folder, without a door, until everything in the log has had all its effects.
 * @throws the fault of a consumer that does not go away
 */
export const runToTheEnd = async (ports: Ports, { logger, recorded = new Set(), dropped }: FlowOptions): Promise<void> => {
  const faults = countFaults()
  const log = refoldLog(ports.log, { recorded, onFault: faults.add, ...(dropped ? { dropped } : {}) })
  const projects = createProjects(ports)
  const deps = { ...ports, log, logger, projects }
  const metrics = createMetrics(deps, metricsConfig.parse({}))
  const segmentation = createSegmentation(deps, segmentationConfig.parse({}))
  const profileBuilder = createProfileBuilder(deps)
  const flow = [profileBuilder, segmentation, metrics]
  const wall = createSystemClock()
  const running = await startParts(
    [
      { name: 'projects', start: projects.start, stop: projects.stop },
      { name: 'metrics', ...metrics },
      { name: 'segmentation', ...segmentation },
      { name: 'profile-builder', ...profileBuilder },
    ],
    { logger, clock: wall, stopMsMax: STOP_MS_MAX },
  )
  const toTheEnd = async (): Promise<void> => {
    await drainAll(log, flow)
    for (let polls = 0; await isBackfilling(ports.hot); polls++) {
      if (polls > BACKFILL_POLLS_MAX) throw new Error('the backfill of a segment does not come to its end')
      await new Promise<void>((resolve) => void wall.after(BACKFILL_POLL_MS, resolve))
      await drainAll(log, flow)
    }
  }
  try {
    await Promise.race([toTheEnd(), faults.tooMany])
  } finally {
    await running.stop()
  }
}

const countFaults = () => {
  let left = FAULTS_MAX
  let fail = (_error: Error): void => {}
  const tooMany = new Promise<never>((_resolve, reject) => {
    fail = reject
  })
  // Nobody may be waiting when it fails.
  tooMany.catch(() => undefined)
  const add = (error: unknown, group: string): void => {
    if (--left === 0) fail(new Error(`${group} cannot go on: ${error instanceof Error ? error.message : String(error)}`))
  }
  return { add, tooMany }
}
