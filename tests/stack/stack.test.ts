import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ecom } from '../e2e/suites/ecom.ts'
import { mainJob } from '../e2e/suites/main-job.ts'
import { twoProjects } from '../e2e/suites/two-projects.ts'
import { inNewProject, sharedOf, startMillrace, type Millrace } from '../support/millrace.ts'
import { stackSkipped } from '../support/stack.ts'
import { killEachService } from './kill-each-service.ts'

const SERVICES = ['ingest', 'profile-builder', 'segmentation', 'metrics']

describe.skipIf(stackSkipped('the stack'))('every service in a process of its own, over Kafka, Redis and ClickHouse', () => {
  let stack: Millrace
  beforeAll(async () => {
    const startedAt = performance.now()
    stack = await startMillrace({ wiring: 'stack' })
    console.log(`stack: ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  }, 250_000)
  afterAll(async () => {
    await stack?.kill()
    stack?.remove()
  }, 60_000)

  it('runs engines and services apart', () => {
    expect(Object.keys(stack.processes()).sort()).toEqual(['clickhouse', 'kafka', 'redis', ...SERVICES.map((name) => `${name}-0`)].sort())
  })

  // The first one wants an instance without any other project.
  twoProjects(async () => sharedOf(stack))
  mainJob(() => inNewProject(stack, 'main job'))
  ecom(() => inNewProject(stack, 'ecom'))
  killEachService(() => inNewProject(stack, 'kills'), () => stack, SERVICES)

  it('ends by itself, every process of it, when it is asked to', async () => {
    const pids = Object.values(stack.processes())
    expect(await stack.stop()).toBe(0)
    expect(pids.filter(isAlive)).toEqual([])
  }, 120_000)
})

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
