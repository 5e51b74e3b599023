import { allTopics, topics } from '@millrace/contracts'
import { expect, it } from 'vitest'
import { topicDifferences, TopicsDiffer, wantedTopics } from './topics.ts'

it('keeps everything unless told otherwise, and compacts what is whole under its key', () => {
  const wanted = wantedTopics({ prefix: 'x-', replication: 3, retention: { [topics.resolved.name]: { ms: 5, bytes: 7 } } })
  expect(wanted.map(({ name }) => name)).toEqual(allTopics.map(({ name }) => `x-${name}`))
  const config = (name: string) => wanted.find((topic) => topic.name === `x-${name}`)!.config
  expect(config(topics.accepted.name)).toMatchObject({ 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1', 'min.insync.replicas': '2' })
  expect(config(topics.resolved.name)).toMatchObject({ 'retention.ms': '5', 'retention.bytes': '7' })
  expect(config(topics.facts.name)['cleanup.policy']).toBe('compact')
  expect(config(topics.map.name)['cleanup.policy']).toBe('delete')
  expect(() => wantedTopics({ retention: { nothing: {} } })).toThrow('no topic is named nothing')
})

it('names every difference in one sentence, and takes a missing topic for none', () => {
  const [accepted, ...others] = wantedTopics({})
  const found = [{ ...accepted!, partitions: 8, replication: 2, config: { ...accepted!.config, 'cleanup.policy': 'compact', 'retention.ms': '604800000' } }, ...others.slice(1)]
  const differences = topicDifferences([accepted!, ...others], found)
  expect(differences).toEqual([
    'events.accepted has 8 partitions instead of 4, 2 replicas instead of 1, cleanup.policy=compact instead of delete, retention.ms=604800000 instead of -1',
  ])
  expect(new TopicsDiffer(differences).message).toContain('8 partitions instead of 4')
})
