import { expect, it } from 'vitest'
import type { EventLog } from '@millrace/ports'
import { createSystemClock } from '../clock/system.ts'
import { createLateLog } from './late.ts'
import { createScriptedLog } from './spooled/scripted-log.ts'

const setUp = (open: () => Promise<EventLog>, waitMsMax = 5_000) => createLateLog({ open, clock: createSystemClock(), waitMsMax })

it('opens the log when it is needed, once', async () => {
  let opened = 0
  const late = setUp(async () => {
    opened++
    return createScriptedLog().log
  })
  expect(opened).toBe(0)
  await Promise.all([late.ready(), late.extents('events.accepted')])
  await late.ready()
  expect(opened).toBe(1)
})

it('is LOG_BUSY while the log cannot be opened, and tries again at the next need', async () => {
  let tries = 0
  const late = setUp(async () => {
    if (++tries < 3) throw new Error('nobody is there')
    return createScriptedLog().log
  })
  await expect(late.append([])).rejects.toMatchObject({ name: 'LogUnavailable', code: 'LOG_BUSY', message: expect.stringContaining('nobody is there') })
  await expect(late.opened()).rejects.toThrow('nobody is there')
  await late.ready()
  expect(tries).toBe(3)
})

it('lets nobody wait for ever, closes what comes too late, and opens nothing more', async () => {
  let come: (log: EventLog) => void = () => {}
  let closed = 0
  const late = setUp(() => new Promise((resolve) => { come = resolve }), 5)
  await expect(late.ready()).rejects.toMatchObject({ code: 'LOG_BUSY', message: expect.stringContaining('not open after 5 ms') })
  await late.close()
  come({ ...createScriptedLog().log, close: async () => void closed++ })
  await expect(late.ready()).rejects.toMatchObject({ code: 'LOG_CLOSED' })
  await expect.poll(() => closed).toBe(1)
})
