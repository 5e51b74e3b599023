import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKafkaLog, writeFileClock } from '@millrace/adapters'
import { chanceFrom, decodeRecord, project, topics, type RejectedLine } from '@millrace/contracts'
import type { EventLog, HotStore } from '@millrace/ports'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startMillrace, type Millrace } from '../support/millrace.ts'
import { mountSmallDisk } from '../support/small-disk.ts'
import { stackSkipped } from '../support/stack.ts'
import { drive, settledState } from './driver.ts'
import { COMPARED, differingEvents, flipsOf } from './outcome.ts'
import { makePlan, shuffled } from './plan.ts'
import { driveStack, settledStack } from './stack-driver.ts'
import { createFaults, ENGINE_FAULTS, FAULT_KINDS, FULL_DISK, POISONS, REBALANCES, SERVICE_KILLS, type FaultKind, type Faults } from './stack-faults.ts'

const LONG = process.env['MILLRACE_LONG'] === '1'
const SEED = Number(process.env['MILLRACE_SEED'] ?? 20_262)
const EVENTS = Number(process.env['MILLRACE_EVENTS'] ?? (LONG ? 200_000 : 800))
const SEGMENTS = 4
const SKIPPED = stackSkipped('the fault matrix of the stack')
/** Of the whole log: some kilobytes an event, twice. */
const kafkaDisk = SKIPPED ? null : mountSmallDisk(LONG ? 4_096 : 512)
const ENGINES = ENGINE_FAULTS.filter((kind) => kind !== FULL_DISK || kafkaDisk !== null)
/** 32 kills of services, 15 faults of engines, 6 poisoned records, and rebalances all along; or some of each, by the seed. */
const PLANNED: readonly FaultKind[] = LONG
  ? [...times(8, SERVICE_KILLS), ...times(3, ENGINES), ...times(3, POISONS)]
  : [...some(2, SERVICE_KILLS), ...some(1, REBALANCES), ...some(3, ENGINES), ...POISONS]
const KINDS: readonly FaultKind[] = LONG ? FAULT_KINDS.filter((kind) => kind !== FULL_DISK || kafkaDisk !== null) : PLANNED
const REBALANCE_EVERY_MS = LONG ? 4_000 : null
/** Of each service of which a copy is to leave and join a second one. */
const COPIES = REBALANCES.filter((kind) => KINDS.includes(kind)).map((kind) => `${/a copy of (\S+)/.exec(kind)![1]}=2`).join(',')
/** A bound on a stop must be one of the wall's clock: the told one jumps. */
const STOP_MS_MAX = '9000'
/** The log of the test itself keeps no state. */
const NO_STATE = {} as HotStore

const settings = project.parse({ id: 1, name: 'default', zone: 'UTC', currency: 'USD', writeKeys: [], apiKeys: [], identity: {} })

describe.skipIf(SKIPPED)('the stack under every fault that can be caused here', () => {
  const folders = mkdtempSync(join(tmpdir(), 'millrace-stack-chaos-'))
  const [clockFile, calmClock] = [join(folders, 'clock-1'), join(folders, 'clock-2')]
  const plan = makePlan(SEED, EVENTS, SEGMENTS)
  let stack: Millrace
  let log: EventLog
  beforeAll(async () => {
    writeFileClock(clockFile, plan.startsAt)
    mkdirSync(join(folders, 'stack'))
    if (kafkaDisk) symlinkSync(kafkaDisk.folder, join(folders, 'stack/kafka'))
    stack = await startMillrace({ wiring: 'stack', dataDir: join(folders, 'stack'), env: { MILLRACE_TEST_CLOCK: clockFile, SERVICE_STOP_MS_MAX: STOP_MS_MAX }, args: ['--copies', COPIES] })
    const brokers = [/Kafka (127\.0\.0\.1:\d+)/.exec(stack.output())![1]!]
    log = await createKafkaLog({ brokers, slot: 'chaos', hot: NO_STATE })
  })
  afterAll(async () => {
    await log?.close()
    await stack?.kill()
    kafkaDisk?.remove()
    rmSync(folders, { recursive: true, force: true })
  })

  it('ends as an undisturbed run does, of the other wiring: nothing lost, nothing twice, every flip told once (P1–P5)', { timeout: LONG ? 7_200_000 : 1_200_000 }, async () => {
    const faults = createFaults({ stack, log, seed: SEED + 1, project: settings.id, kafkaDisk })
    const run = await driveStack(plan, PLANNED, { stack, faults, clockFile, seed: SEED + 2, rebalanceEveryMs: REBALANCE_EVERY_MS })
    const sent = run.done.batches.reduce((sum, { events }) => sum + events.length, 0)
    process.stdout.write(`stack chaos: seed ${SEED}, ${sent} events sent, ${run.acknowledged.size} distinct, ${run.refusals} requests sent again\n`)
    const calmly = async () => {
      const calm = { wiring: 'embedded', dataDir: join(folders, 'calm') } as const
      const undisturbed = await drive(run.done, [], calm, calmClock)
      return settledState(undisturbed.millrace, calm, calmClock)
    }
    const [state, calm] = await Promise.all([settledStack(stack, log), calmly()])
    const { told, reference, behind } = await flipsOf(log, settings)
    const kept = await rejectedCodes(log)

    expect(state.messageIds).toEqual([...run.acknowledged].sort())
    expect(state.rows).toBe(state.messageIds.length)
    expect(state.ledger.balanced).toBe(true)
    expect(state.ledger.total).toMatchObject({ stored: state.rows, erased: 0, pending: 0 })
    expect(differingEvents(state, calm)).toEqual([])
    for (const part of COMPARED) expect(state[part], part).toEqual(calm[part])
    expect(behind).toEqual([])
    expect(told.length).toBeGreaterThan(EVENTS / 100)
    expect(told).toEqual(reference)
    // An append in doubt is made again: then a poison is there twice.
    expect(kept.get('RECORD_UNREADABLE') ?? 0).toBeGreaterThanOrEqual(timesDone(faults, 'bytes that are no record'))
    expect(kept.get('NOT_JSON') ?? 0).toBeGreaterThanOrEqual(timesDone(faults, 'a record with a broken line'))
    expect(state.ledger.total.rejected).toBe(kept.get('NOT_JSON') ?? 0)
    for (const kind of KINDS) expect(timesDone(faults, kind), kind).toBeGreaterThan(0)
    process.stdout.write(tableOf(faults, `${sent} events, ${told.length} flips, ${state.identities.length} identities, ${state.memberships.length} memberships`))
  })
})

function some<Item>(count: number, items: readonly Item[]): readonly Item[] {
  return shuffled(items, chanceFrom(SEED + items.length)).slice(0, count)
}

function times<Item>(count: number, items: readonly Item[]): readonly Item[] {
  return Array.from({ length: count }, () => items).flat()
}

const timesDone = ({ counts }: Faults, kind: FaultKind): number => counts.get(kind) ?? 0

/** By code, what events.rejected keeps. */
const rejectedCodes = async (log: EventLog): Promise<ReadonlyMap<string, number>> => {
  const codes = new Map<string, number>()
  for (let from = 0; ; ) {
    const records = await log.read(topics.rejected.name, 0, from, { recordsMax: 1_000, bytesMax: 8_000_000 })
    if (records.length === 0) return codes
    for (const { code } of records.flatMap(({ value }) => decodeRecord(value).lines().map((line) => JSON.parse(String(line)) as RejectedLine))) codes.set(code, (codes.get(code) ?? 0) + 1)
    from = records.at(-1)!.offset + 1
  }
}

const HELD: Readonly<Record<string, string>> = Object.fromEntries([
  ...[...SERVICE_KILLS, ...REBALANCES, ...ENGINE_FAULTS].map((kind) => [kind, 'ids, ledger, flips, and all rows of the calm run']),
  ...POISONS.map((kind) => [kind, 'the same, and it is in events.rejected']),
])

/** For the README beside this file. */
const tableOf = (faults: Faults, what: string): string =>
  [`stack chaos: held over ${what}`, '| fault | times | held |', '|---|---|---|', ...KINDS.map((kind) => `| ${kind} | ${timesDone(faults, kind)} | ${HELD[kind]} |`)].join('\n') + '\n'
