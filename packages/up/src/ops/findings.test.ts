import { describe, expect, it } from 'vitest'
import { FREE_BYTES_MIN, findings, type Gathered, type ProcessWord, SKEW_MS_MAX } from './findings.ts'

const row = { group: 'sink', topic: 'events.resolved', partition: 2, position: 7, end: 9, lag: 2 }
const word = { name: 'metrics-0', url: 'http://127.0.0.1:1', fault: null, parts: { log: 'ok' }, skewMs: 0, ledgerDifferences: [{ project: '1', difference: 0 }], newFaults: 0 }
const sound: Gathered = {
  node: '20.20.1', nodeWanted: '>=20.19', processes: [word], lagBefore: [row], lagAfter: [{ ...row, position: 8, lag: 1 }], missingGroups: [],
  disk: { folder: '/data', freeBytes: 50 * FREE_BYTES_MIN, totalBytes: 100 * FREE_BYTES_MIN },
  ledger: { balanced: true, difference: 0 }, topics: [], migrations: null, redis: [],
}
const ofProcess = (change: Partial<ProcessWord>) => ({ processes: [{ ...word, ...change }] })

describe('the findings of the doctor', () => {
  it('are none where all is well, as for what could not be asked', () => {
    expect(findings(sound)).toEqual([])
    expect(findings({ ...sound, disk: null, topics: null, redis: null })).toEqual([])
  })

  it.each<[string, Partial<Gathered>, string]>([
    ['an old Node', { node: '20.9.0' }, 'Node here is 20.9.0'],
    ['a full disk', { disk: { folder: '/data', freeBytes: FREE_BYTES_MIN - 1, totalBytes: 2 * FREE_BYTES_MIN } }, 'the disk is nearly full'],
    ['a process that is away', ofProcess({ fault: 'http://127.0.0.1:1 does not answer (ECONNREFUSED)' }), 'metrics-0: http://127.0.0.1:1 does not answer'],
    ['a part that is away', ofProcess({ parts: { log: 'ok', 'column-store': 'ECONNREFUSED' } }), 'metrics-0 is not ready: column-store: ECONNREFUSED'],
    ['a clock ahead', ofProcess({ skewMs: SKEW_MS_MAX + 1_000 }), 'the clock of metrics-0 is 6 s ahead of'],
    ['a clock behind', ofProcess({ skewMs: -SKEW_MS_MAX - 1_000 }), 'the clock of metrics-0 is 6 s behind'],
    ['batches that fail', ofProcess({ newFaults: 3 }), 'metrics-0: 3 batches failed'],
    ['a consumer that stands still', { lagAfter: [{ ...row, end: 12, lag: 5 }] }, 'sink events.resolved/2 stands still at 7, 5 records behind'],
    ['consumers that nobody runs', { missingGroups: ['fold'] }, 'nobody tells of the consumers fold'],
    ['a ledger that differs', ofProcess({ ledgerDifferences: [{ project: '1', difference: -2 }] }), 'the ledger of project 1 has a difference of -2'],
    ['a ledger that differs in hours which add up', { ledger: { balanced: false, difference: 0 } }, 'the ledger does not balance in some hour'],
    ['a ledger that cannot be read', { ledger: { fault: 'answered 401' } }, 'the ledger cannot be read: answered 401'],
    ['a topic that is missing', { topics: ['events.accepted is missing'] }, 'Kafka: events.accepted is missing'],
    ['tables of another build', { migrations: 'the column store has schema 1 of 2' }, 'ClickHouse: the column store has schema 1 of 2'],
    ['a Redis that forgets', { redis: ['maxmemory-policy allkeys-lru'] }, 'Redis: maxmemory-policy allkeys-lru'],
  ])('name %s, and what to do', (_, change, what) => {
    const found = findings({ ...sound, ...change })
    expect(found.map((finding) => finding.severity)).toEqual(['wrong'])
    expect(found[0]!.what).toContain(what)
    expect(found[0]!.todo).not.toBe('')
  })

  it('do not call a consumer stuck that has moved, has caught up, or has just got records', () => {
    expect(findings({ ...sound, lagAfter: [{ ...row, lag: 0 }] })).toEqual([])
    expect(findings({ ...sound, lagBefore: [{ ...row, lag: 0 }], lagAfter: [row] })).toEqual([])
    expect(findings({ ...sound, lagBefore: [], lagAfter: [row] })).toEqual([])
  })

  it('are a note alone, not wrong, where nothing is broken yet', () => {
    const filling = { folder: '/data', freeBytes: 2 * FREE_BYTES_MIN, totalBytes: 100 * FREE_BYTES_MIN }
    expect(findings({ ...sound, disk: filling, ledger: null }).map(({ severity }) => severity)).toEqual(['note', 'note'])
  })
})
