import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeRecord, topics } from '@millrace/contracts'
import { createEmbedded } from '@millrace/wiring'
import { afterAll, expect, it } from 'vitest'
import { runProgram } from '../../../tests/support/program.ts'
import { openDataFolder } from '../src/folder/data-folder.ts'
import { holdFolder } from '../src/folder/hold.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-backup-rule-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('of a running Millrace is refused while a rule waits for its past, and taken when it has it', async () => {
  const dataDir = join(folder, 'a')
  const hold = await holdFolder(dataDir)
  await openDataFolder(dataDir)
  const { log, close } = await createEmbedded({ dataDir })
  const { name } = topics.resolved
  const backup = (to: string) => runProgram('ops/main.js', ['backup', '--data-dir', dataDir, '--to', join(folder, to)])
  const append = (type: string) => log.append([{ topic: name, partition: 1, value: encodeRecord({ kind: 'resolved', project: 1, count: 0, origins: [] }, [JSON.stringify({ type })]) }])
  try {
    await append('clock.advanced')
    expect(await backup('one')).toMatchObject({ code: 0 })
    await append('rule.changed')
    expect(await backup('two')).toMatchObject({ code: 1, text: expect.stringContaining('A segment is being filled') })
    expect(await runProgram('ops/main.js', ['restore', '--from', join(folder, 'two'), '--to', join(folder, 'r')])).toMatchObject({ code: 1, text: expect.stringContaining('no whole backup') })
  } finally {
    await close()
    await hold.release()
  }
})
