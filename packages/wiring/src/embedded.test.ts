import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { topics } from '@millrace/contracts'
import { expect, it } from 'vitest'
import { createEmbedded } from './embedded.ts'

it('keeps log and state in one folder, which one instance at a time may have', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-wiring-'))
  const first = await createEmbedded({ dataDir })
  await first.log.append([{ topic: topics.accepted.name, partition: 0, value: Buffer.from('a') }])
  await first.hot.update('projects', 'one', () => ({ id: 1 }))
  await expect(createEmbedded({ dataDir })).rejects.toMatchObject({ code: 'DATA_DIR_HELD' })
  await first.close()
  const again = await createEmbedded({ dataDir })
  expect((await again.log.extents(topics.accepted.name))[0]).toEqual({ partition: 0, first: 0, next: 1 })
  expect(await again.hot.get('projects', ['one'])).toEqual([{ id: 1 }])
  expect(again.ids.uuid()).not.toBe(again.ids.uuid())
  expect(again.clock.now()).toBeGreaterThan(1_700_000_000_000)
  await again.close()
  await rm(dataDir, { recursive: true })
})
