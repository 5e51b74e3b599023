import { encodeRecord, topics } from '@millrace/contracts'
import { expect, it } from 'vitest'
import { createEncoder } from '../src/sink/blocks.ts'

it('stores the refusal of a record that nobody could read, of which no origin is known', async () => {
  const line = { code: 'RECORD_UNREADABLE', detail: 'no header', bytes: 'AAAA', messageId: null }
  const value = encodeRecord({ kind: 'rejected', project: 0, count: 0, origins: [] }, [JSON.stringify(line)])
  const encode = createEncoder(async () => { throw new Error('no project is asked for') })
  const { blocks } = await encode({ records: [{ topic: topics.rejected.name, partition: 0, offset: 7, value }], end: 8, replayed: false, caughtUp: true })
  expect(blocks.map(({ table, rows }) => [table, JSON.parse(Buffer.from(rows).toString())])).toMatchObject([
    ['millrace_store.rejected', { project: 0, source: '', code: 'RECORD_UNREADABLE', bytes: 'AAAA', _offset: 7 }],
  ])
})
