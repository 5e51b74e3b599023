import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { topics } from '@millrace/contracts'
import type { NewRecord } from '@millrace/ports'
import { createEmbedded, type Embedded } from '@millrace/wiring'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkWhole, copyLog } from './copy-log.ts'
import { refoldLog } from './refold-log.ts'

const record = (topic: string, text: string, partition = 0): NewRecord => ({ topic, partition, value: Buffer.from(text) })

describe('the log of a replay', () => {
  let folder: string
  let source: Embedded
  let target: Embedded
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-refold-'))
    source = await createEmbedded({ dataDir: join(folder, 'a') })
    target = await createEmbedded({ dataDir: join(folder, 'b') })
  })
  afterEach(async () => {
    await source.close()
    await target.close()
    await rm(folder, { recursive: true })
  })

  it('copies each record of the recorded topics to the offset that it had, and nothing else', async () => {
    await source.log.append([record(topics.accepted.name, 'one', 2), record(topics.map.name, 'told'), record(topics.accepted.name, 'two', 2)])
    await expect(copyLog(source.log, target.log)).resolves.toMatchObject({ records: 2 })
    const copied = await target.log.read(topics.accepted.name, 2, 0, { recordsMax: 10, bytesMax: 1000 })
    expect(copied.map(({ offset, value }) => [offset, Buffer.from(value).toString()])).toEqual([[0, 'one'], [1, 'two']])
    expect((await target.log.extents(topics.map.name))[0]!.next).toBe(0)
  })

  it('refuses a log whose beginning is gone', async () => {
    const extents = async () => [{ partition: 0, first: 7, next: 9 }]
    await expect(checkWhole('/data', { extents })).rejects.toThrow('The log of /data is not whole: events.accepted/0 begins at record 7')
  })

  it('keeps what is told anew and drops what was recorded, from consumers and from jobs', async () => {
    await target.log.append([record(topics.facts.name, 'fact')])
    const dropped: string[] = []
    const log = refoldLog(target.log, {
      recorded: new Set([topics.accepted.name]),
      dropped: (group, records) => void dropped.push(...records.map(({ topic }) => `${group} ${topic}`)),
      onFault: (error) => expect.unreachable(String(error)),
    })
    await log.append([record(topics.accepted.name, 'a job')])
    const subscription = await log.consume({
      group: 'identity', topics: [topics.facts.name], batchRecordsMax: 10, batchBytesMax: 1000, lingerMs: 0,
      open: async () => ({
        from: 0,
        handle: async () => ({ outputs: [record(topics.accepted.name, 'placed'), record(topics.map.name, 'mapped')] }),
        close: async () => {},
      }),
      onFault: () => {},
    })
    await subscription.drain()
    await subscription.stop()
    expect((await log.extents(topics.accepted.name))[0]!.next).toBe(0)
    expect((await log.extents(topics.map.name))[0]!.next).toBe(1)
    expect(dropped).toEqual(['identity events.accepted'])
  })
})
