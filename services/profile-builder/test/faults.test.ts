import { createSystemClock } from '@millrace/adapters'
import { SubscriptionEnded, type ConsumeOptions } from '@millrace/ports'
import { createLogger } from '@millrace/service-kit'
import { afterEach, expect, it, vi } from 'vitest'
import { createProfileBuilder } from '../src/index.ts'

afterEach(() => void vi.unstubAllGlobals())

it('ends the process when any of its consumers is read no more', async () => {
  const consumers: ConsumeOptions[] = []
  const consume = async (options: ConsumeOptions) => {
    consumers.push(options)
    return { drain: async () => {}, stop: async () => {} }
  }
  type Deps = Parameters<typeof createProfileBuilder>[0]
  const deps = { log: { consume }, hot: {}, columns: {}, projects: {}, clock: createSystemClock(), logger: createLogger('silent') } as unknown as Deps
  await createProfileBuilder(deps).start()
  const uncaught: (() => void)[] = []
  vi.stubGlobal('queueMicrotask', (task: () => void) => void uncaught.push(task))
  for (const { group, topics, onFault } of consumers) {
    onFault(new Error('comes again'), { topic: topics[0]!, partition: 0 })
    onFault(new SubscriptionEnded(group, new Error('no rights')), { topic: topics[0]!, partition: -1 })
  }
  expect(consumers.map(({ group }) => group)).toEqual(['resolve', 'identity', 'fold'])
  expect(uncaught.map((task) => { try { task() } catch (error) { return (error as Error).message } })).toEqual(
    ['resolve', 'identity', 'fold'].map((group) => `the group ${group} cannot be read any more: no rights`))
})
