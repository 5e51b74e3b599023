import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { project } from '@millrace/contracts'
import { chanceFrom } from '@millrace/contracts'
import { drive, settledState, type Kill } from './driver.ts'
import { COMPARED, differingEvents, loggedFlips } from './outcome.ts'
import { makePlan, shuffled } from './plan.ts'

const LONG = process.env['MILLRACE_LONG'] === '1'
const SEED = Number(process.env['MILLRACE_SEED'] ?? 20_261)
const EVENTS = Number(process.env['MILLRACE_EVENTS'] ?? (LONG ? 50_000 : 1_600))
const SEGMENTS = 4

/** Where the process is killed, and what the table calls it. The kills inside an insert come so many ms after its start. */
const POINTS: readonly (readonly [kind: string, point: string, nthMax: number, delayMsMax?: number])[] = [
  ['log append', 'log.append.before-commit', 12],
  ['log append', 'log.append.after-commit', 12],
  ["resolve's commit", 'step.before-commit:resolve', 12],
  ["resolve's commit", 'step.after-commit:resolve', 12],
  ['declared but not inserted', 'sink.declared', 6],
  ['inserted but not committed', 'sink.inserted', 6],
  ['between base table and view', 'store.insert.before millrace_store.events', 5, 25],
  ['between tables of a batch', 'sink.between-tables', 5],
  ['hot-state write', 'step.before-commit:fold', 12],
  ['hot-state write', 'step.after-commit:segmentation', 12],
  ['timer', 'timer.append', 3],
  ['backfill', 'backfill.page', 1],
  ['backfill', 'backfill.appended', 1],
  ['backfill', 'backfill.completed', 1],
  ['profile snapshot', 'snapshot.inserted', 1],
]

const settings = project.parse({ id: 1, name: 'default', zone: 'UTC', currency: 'USD', writeKeys: [], apiKeys: [], identity: {} })

/** Every point four times; in the short form one point of each of seven kinds. */
const plannedKills = (): readonly Kill[] => {
  const chance = chanceFrom(SEED + 1)
  const pointOf = (kind: string) => chance.pick(POINTS.filter((point) => point[0] === kind))
  const some = () => shuffled([...new Set(POINTS.map(([kind]) => kind))], chance).slice(0, 7).map(pointOf)
  const points = LONG ? Array.from({ length: 4 }, () => POINTS).flat() : some()
  return shuffled(points, chance)
    .map(([kind, point, nthMax, delayMsMax]) => ({
      kind,
      probe: `${point}:${1 + chance.below(nthMax)}${delayMsMax === undefined ? '' : `+${1 + chance.below(delayMsMax)}`}`,
    }))
}

describe('a process that is killed again and again', () => {
  const folders = mkdtempSync(join(tmpdir(), 'millrace-chaos-'))
  afterAll(() => rmSync(folders, { recursive: true, force: true }))

  it('ends as if it had never been disturbed: nothing lost, nothing counted twice, every flip told once', { timeout: LONG ? 3_600_000 : 600_000 }, async () => {
    const plan = makePlan(SEED, EVENTS, SEGMENTS)
    const kills = plannedKills()
    const [one, two] = [{ dataDir: join(folders, 'disturbed') }, { dataDir: join(folders, 'calm') }]
    const disturbed = await drive(plan, kills, one, join(folders, 'clock-1'))
    const state = await settledState(disturbed.millrace, one, join(folders, 'clock-1'))
    const table = [...disturbed.kills].sort().map(([kind, n]) => `chaos: killed ${String(n).padStart(3)} times: ${kind}`)
    const killed = [...disturbed.kills.values()].reduce((sum, n) => sum + n, 0)
    const sent = plan.batches.reduce((sum, { events }) => sum + events.length, 0)
    process.stdout.write(`${table.join('\n')}\nchaos: seed ${SEED}, ${sent} events sent, ${disturbed.acknowledged.size} distinct, ${killed} kills of ${kills.length} planned, ${disturbed.refusals} requests sent again\n`)

    const undisturbed = await drive(disturbed.done, [], two, join(folders, 'clock-2'))
    const calm = await settledState(undisturbed.millrace, two, join(folders, 'clock-2'))

    expect(state.messageIds).toEqual([...disturbed.acknowledged].sort())
    expect(state.rows).toBe(state.messageIds.length)
    expect(state.ledger.balanced).toBe(true)
    expect(state.ledger.total).toMatchObject({ stored: state.rows, rejected: 0, pending: 0 })
    const { told, reference, behind } = await loggedFlips(join(folders, 'disturbed'), settings)
    expect(behind).toEqual([])
    expect(told.length).toBeGreaterThan(EVENTS / 100)
    expect(told).toEqual(reference)
    expect(differingEvents(state, calm)).toEqual([])
    for (const part of COMPARED) expect(state[part], part).toEqual(calm[part])
    process.stdout.write(`chaos: ${told.length} flips equal the reference, ${state.identities.length} identities, ${state.memberships.length} memberships\n`)
    expect(killed).toBeGreaterThanOrEqual(LONG ? 20 : 5)
    if (LONG) for (const [kind] of POINTS) expect(disturbed.kills.get(kind) ?? 0, kind).toBeGreaterThanOrEqual(3)
  })
})
