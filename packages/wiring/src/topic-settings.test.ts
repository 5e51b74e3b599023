import { expect, it } from 'vitest'
import { stackConfig } from './stack-config.ts'
import { topicSettings } from './topic-settings.ts'

it('keeps everything on one broker unless it is told otherwise', () => {
  expect(topicSettings(stackConfig.parse({ COPY_SLOT: '0' }))).toEqual({ access: {}, prefix: '', replication: 1, retention: {} })
  const given = { COPY_SLOT: '0', KAFKA_PREFIX: 'x-', KAFKA_REPLICATION: '3', KAFKA_RETENTION_DAYS: 'events.resolved=30, events.accepted=0.5' }
  expect(topicSettings(stackConfig.parse(given))).toEqual({
    access: {}, prefix: 'x-', replication: 3, retention: { 'events.resolved': { ms: 2_592_000_000 }, 'events.accepted': { ms: 43_200_000 } },
  })
  expect(() => stackConfig.parse({ COPY_SLOT: '0', KAFKA_RETENTION_DAYS: 'events.resolved' })).toThrow('must be such as events.resolved=30')
})
