import { expect, it } from 'vitest'
import { topicsCommand } from './options.ts'

it('takes brokers, replicas, a prefix, and how long each topic is kept', () => {
  const args = ['--brokers', 'a:1,b:2', '--replication', '3', '--prefix', 'x-', '--keep', 'events.resolved=14', '--keep-bytes', 'events.resolved=1000', '--keep', 'events.accepted=0.5']
  expect(topicsCommand(args)).toEqual({
    brokers: ['a:1', 'b:2'],
    settings: { replication: 3, prefix: 'x-', retention: { 'events.resolved': { ms: 1_209_600_000, bytes: 1000 }, 'events.accepted': { ms: 43_200_000 } } },
  })
  expect(topicsCommand(['--help'])).toBeNull()
})

it('says what is wrong in one sentence', () => {
  expect(() => topicsCommand([])).toThrow('Name the brokers')
  expect(() => topicsCommand(['--brokers', 'a:1', '--replication', '0'])).toThrow('--replication must be')
  expect(() => topicsCommand(['--brokers', 'a:1', '--keep', 'events.accepted'])).toThrow('--keep needs TOPIC=NUMBER')
})
