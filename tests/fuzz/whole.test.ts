import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { writeFileClock } from '@millrace/adapters'
import { eventually, startMillrace, type Millrace } from '../support/millrace.ts'
import { ADDED, CURRENCY, makeHistory, PURCHASE, REFUND, VIEWED, type History, type MeantEvent, type Turn } from './history.ts'
import {
  addDays, bucketOf, dayOf, distinct, funnel, isChosen, moneyText, netOf, peopleOf, retention, revenueOf, RULES, startOfDay, traitsOf,
  type Period, type Person, type TimedCommand,
} from './model.ts'

const LONG = process.env['MILLRACE_LONG'] === '1'
const SEED = Number(process.env['MILLRACE_SEED'] ?? (LONG ? 1 : 100))
const HISTORIES = Number(process.env['MILLRACE_HISTORIES'] ?? (LONG ? 30 : 1))
const TURNS = LONG ? 60 : 20

/** Where the command's time lies behind the events of its turn: no event has such a time. */
const COMMAND_MS = 7
const CLOCK_SEEN_MS = 30

interface Sent {
  readonly events: MeantEvent[]
  readonly commands: TimedCommand[]
  readonly segments: { readonly id: string; readonly rule: number }[]
  wrong: number
  kills: number
  /** Requests whose answer was lost: they were sent twice, or once. */
  doubtful: number
}

describe('random histories over HTTP, with kills, against a plain model', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-fuzz-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('gives the answers of the model to every question', { timeout: LONG ? 3_600_000 : 600_000 }, async () => {
    let compared = 0
    for (let seed = SEED; seed < SEED + HISTORIES; seed++) {
      const history = makeHistory(seed, TURNS)
      const clockFile = join(folder, `clock-${seed}`)
      const options = { dataDir: join(folder, String(seed)), args: ['--zone', history.zone, '--currency', CURRENCY], env: { MILLRACE_TEST_CLOCK: clockFile } }
      writeFileClock(clockFile, history.turns[0]!.clock)
      const run = { millrace: await startMillrace(options), restart: () => startMillrace(options), clockFile }
      const sent = await drive(run, history)
      try {
        compared += await compare(run.millrace, history, sent)
      } catch (error) {
        throw new Error(`seed ${seed}, zone ${history.zone}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
      } finally {
        await run.millrace.stop()
        rmSync(options.dataDir, { recursive: true, force: true })
      }
      process.stdout.write(`fuzz: seed ${seed}, ${history.zone}: ${sent.events.length} events, ${sent.commands.length} commands, ${sent.kills} kills, ${compared} answers compared so far\n`)
    }
    expect(compared).toBeGreaterThan(100 * HISTORIES)
  })
})

interface Run {
  millrace: Millrace
  readonly restart: () => Promise<Millrace>
  readonly clockFile: string
}

const drive = async (run: Run, { turns, endsAt }: History): Promise<Sent> => {
  const sent: Sent = { events: [], commands: [], segments: [], wrong: 0, kills: 0, doubtful: 0 }
  for (const turn of turns) {
    writeFileClock(run.clockFile, turn.clock)
    await sleep(CLOCK_SEEN_MS)
    await makeSegment(run, turn, sent)
    await sendTurn(run, turn, sent)
    sent.events.push(...turn.events.map(({ meant }) => meant))
    sent.wrong += turn.wrong.length
    if (!turn.command) continue
    writeFileClock(run.clockFile, turn.clock + COMMAND_MS)
    await sleep(CLOCK_SEEN_MS)
    const { op, a, b } = turn.command
    await run.millrace.api('/api/identity/commands', { op, a: typed(a), b: typed(b) })
    sent.commands.push({ op, a, b, at: turn.clock + COMMAND_MS })
  }
  writeFileClock(run.clockFile, endsAt)
  return sent
}

const typed = (key: string): { type: string; value: string } => ({ type: key.slice(0, key.indexOf(':')), value: key.slice(key.indexOf(':') + 1) })

/** The first six rules make segments; later ones edit them to another rule in turn. */
const makeSegment = async ({ millrace }: Run, { rule }: Turn, sent: Sent): Promise<void> => {
  if (rule === undefined) return
  const index = rule % RULES.length
  if (rule < RULES.length) {
    const { id } = await millrace.api<{ id: string }>('/api/segments', { name: `分群 ${rule}`, rule: RULES[index]!.rule })
    sent.segments.push({ id, rule: index })
    return
  }
  const next = { id: sent.segments[index]!.id, rule: (index + 1) % RULES.length }
  await millrace.api(`/api/segments/${next.id}`, { name: `分群 ${rule}`, rule: RULES[next.rule]!.rule }, 'PUT')
  sent.segments[index] = next
}

const sendTurn = async (run: Run, { events, wrong, kill }: Turn, sent: Sent): Promise<void> => {
  const batch = [...events.map(({ wire }) => wire), ...wrong]
  if (kill === 'before') await killed(run, sent)
  const first = run.millrace.send(batch).then((answer) => answer.ok, () => false)
  if (kill === 'during') {
    await sleep(2)
    await killed(run, sent)
  }
  if (await first) return
  sent.doubtful++
  const again = await run.millrace.send(batch)
  if (!again.ok) throw new Error(`a batch was refused: ${again.status} ${await again.text()}`)
}

const killed = async (run: Run, sent: Sent): Promise<void> => {
  await run.millrace.kill()
  run.millrace = await run.restart()
  sent.kills++
}

// ── comparing ──────────────────────────────────────────────────────────────────────────────────────────
interface Model extends Period {
  readonly events: readonly MeantEvent[]
  readonly people: readonly Person[]
  readonly clock: number
}

const compare = async (millrace: Millrace, history: History, sent: Sent): Promise<number> => {
  const events = distinct(sent.events)
  const { zone, turns, endsAt: clock } = history
  const period = { zone, from: dayOf(zone, turns[0]!.clock - 4 * 86_400_000), to: dayOf(zone, clock) }
  const model: Model = { ...period, events, people: peopleOf(events, sent.commands), clock }
  await settled(millrace, sent, events.length)
  const parts = [compareLedger, comparePeople, compareTrends, compareRetention, compareFunnels, compareSegments]
  let compared = 0
  for (const part of parts) compared += await part(millrace, model, sent)
  return compared
}

interface LedgerAnswer {
  readonly balanced: boolean
  readonly total: Readonly<Record<'received' | 'stored' | 'rejected' | 'duplicate' | 'erased' | 'pending', number>>
}
const ledgerOf = (millrace: Millrace): Promise<LedgerAnswer> => millrace.api('/api/ledger?from=2000-01-01T00:00:00Z&to=2100-01-01T00:00:00Z')

/** Everything is stored and everything that follows from it (moves, snapshots, timers, flips) has come to rest. */
const settled = async (millrace: Millrace, sent: Sent, stored: number): Promise<void> => {
  await eventually(() => ledgerOf(millrace), ({ total }) => total.pending === 0 && total.stored >= stored)
  await eventually(() => millrace.api<{ segments: { state: string }[] }>('/api/segments'), ({ segments }) => segments.length === sent.segments.length && segments.every(({ state }) => state === 'live'))
  let [last, same] = ['', 0]
  const look = (): Promise<readonly unknown[]> =>
    millrace.sql('SELECT (SELECT count() FROM millrace.flips) AS flips, (SELECT sum(cityHash64(identities, traits, toString(last_seen))) FROM millrace.people) AS people, (SELECT sum(cityHash64(value, person_id)) FROM millrace.identities) AS keys')
  await eventually(look, (rows) => {
    const now = JSON.stringify(rows)
    same = now === last ? same + 1 : 0
    last = now
    return same >= 40
  })
}

const compareLedger = async (millrace: Millrace, { events }: Model, sent: Sent): Promise<number> => {
  const { balanced, total } = await ledgerOf(millrace)
  expect(balanced, 'ledger').toBe(true)
  expect(total.stored, 'stored').toBe(events.length)
  if (sent.doubtful === 0) expect(total).toMatchObject({ received: sent.events.length + sent.wrong, rejected: sent.wrong, duplicate: sent.events.length - events.length })
  const rows = await millrace.sql<{ id: string; at: number }>('SELECT message_id AS id, toUnixTimestamp64Milli(timestamp) AS at FROM millrace.events')
  expect(rows.map(({ id, at }) => `${id} ${at}`).sort(), 'events view').toEqual(events.map(({ messageId, at }) => `${messageId} ${at}`).sort())
  return 3
}

interface PersonRow {
  readonly person_id: string
  readonly user_id: string
  readonly anonymous_ids: readonly string[]
  readonly identities: string
  readonly traits: string
  readonly first: number
  readonly last: number
}
interface ProfileAnswer {
  readonly personId: string
  readonly events: number
  readonly orders: { readonly byCurrency: readonly { readonly currency: string; readonly net: string }[] }
  readonly arriving: boolean
}

const comparePeople = async (millrace: Millrace, { people }: Model): Promise<number> => {
  const rows = await millrace.sql<PersonRow>(
    'SELECT person_id, user_id, anonymous_ids, identities, traits, toUnixTimestamp64Milli(assumeNotNull(first_seen)) AS first, toUnixTimestamp64Milli(assumeNotNull(last_seen)) AS last FROM millrace.people')
  const told = rows.map((row) => ({
    keys: (JSON.parse(row.identities) as { type: string; value: string }[]).map(({ type, value }) => `${type}:${value}`).sort(),
    traits: JSON.parse(row.traits) as unknown, first: Number(row.first), last: Number(row.last),
  }))
  const expected = people.map((person) => {
    const times = person.events.map(({ at }) => at)
    return { keys: person.keys, traits: { ...traitsOf(person) }, first: Math.min(...times), last: Math.max(...times) }
  })
  expect(sorted(told), 'people view').toEqual(sorted(expected))
  const idOf = new Map(rows.flatMap((row, index) => told[index]!.keys.map((key) => [key, row.person_id] as const)))
  const identities = await millrace.sql<{ type: string; value: string; person_id: string }>('SELECT type, value, person_id FROM millrace.identities')
  for (const { type, value, person_id: person } of identities) expect(person, `identity ${type}:${value}`).toBe(idOf.get(`${type}:${value}`))
  for (const person of people) {
    const { type, value } = typed(person.keys[0]!)
    const profile = await millrace.api<ProfileAnswer>(`/api/profiles?${new URLSearchParams({ type, value })}`)
    expect(profile.personId, `profile of ${person.keys[0]}`).toBe(idOf.get(person.keys[0]!))
    expect(profile).toMatchObject({ events: person.events.length, arriving: false })
    const net = Object.fromEntries(profile.orders.byCurrency.map((money) => [money.currency, money.net]).sort())
    expect(net, `net of ${person.keys[0]}`).toEqual(netOf(person))
  }
  return rows.length + identities.length + people.length
}

const sorted = <Row extends { readonly keys: readonly string[] }>(rows: readonly Row[]): readonly Row[] =>
  [...rows].sort((a, b) => (String(a.keys) < String(b.keys) ? -1 : 1))

interface Points {
  readonly series: readonly { readonly points: readonly { readonly at: string; readonly value: number | string | null }[] }[]
}

const compareTrends = async (millrace: Millrace, model: Model): Promise<number> => {
  let compared = 0
  for (const zone of [model.zone, 'America/New_York', 'Asia/Kolkata'])
    for (const event of ['*', PURCHASE, ADDED])
      for (const measure of ['events', 'people', 'new-people', 'sum'] as const) {
        const interval = measure === 'people' ? 'week' : measure === 'events' && event === ADDED ? 'hour' : 'day'
        const question = { events: [{ event }], measure, interval, from: model.from, to: model.to, zone, ...(measure === 'sum' ? { property: 'revenue' } : {}) }
        const answer = await millrace.api<Points>('/api/metrics/trends', question)
        const told = Object.fromEntries(answer.series[0]!.points.filter(({ value }) => value !== 0 && value !== '0').map(({ at, value }) => [at, value]))
        expect(told, `${JSON.stringify(question)}`).toEqual(trend({ ...model, zone }, event, measure, interval))
        compared++
      }
  return compared
}

const trend = ({ zone, from, to, events, people }: Model, event: string, measure: 'events' | 'people' | 'new-people' | 'sum', interval: 'hour' | 'day' | 'week'): Record<string, number | string> => {
  const start = startOfDay(zone, from)
  const bucket = (at: number): string => (interval === 'hour' ? new Date(start + Math.floor((at - start) / 3_600_000) * 3_600_000).toISOString() : bucketOf(interval, dayOf(zone, at)))
  const isIn = ({ at }: MeantEvent): boolean => dayOf(zone, at) >= from && dayOf(zone, at) <= to
  const counted = new Map<string, bigint>()
  const add = (at: string, value: bigint): void => void counted.set(at, (counted.get(at) ?? 0n) + value)
  const chosen = (all: readonly MeantEvent[]): readonly MeantEvent[] => all.filter((one) => isChosen(one, event))
  if (measure === 'people') for (const person of people) for (const at of new Set(chosen(person.events).filter(isIn).map(({ at: time }) => bucket(time)))) add(at, 1n)
  if (measure === 'events') for (const one of chosen(events).filter(isIn)) add(bucket(one.at), 1n)
  if (measure === 'sum') for (const one of chosen(events).filter(isIn)) if (one.currency === CURRENCY) add(bucket(one.at), revenueOf(one) ?? 0n)
  if (measure === 'new-people')
    for (const person of people) {
      const [first] = [...chosen(person.events)].sort((a, b) => a.at - b.at)
      if (first && isIn(first)) add(bucket(first.at), 1n)
    }
  return Object.fromEntries([...counted].filter(([, value]) => value !== 0n).map(([at, value]) => [at, measure === 'sum' ? moneyText(value) : Number(value)]))
}

const compareRetention = async (millrace: Millrace, model: Model): Promise<number> => {
  let compared = 0
  for (const [start, back] of [['*', '*'], [VIEWED, PURCHASE]] as const)
    for (const interval of ['day', 'week'] as const)
      for (const counting of ['on', 'on-or-after'] as const)
        for (const zone of [model.zone, 'Europe/Kyiv']) {
          const from = addDays(model.from, 2)
          const question = { start: { event: start }, return: { event: back }, interval, counting, periods: 4, from, to: model.to, zone }
          const { cohorts } = await millrace.api<{ cohorts: { at: string; size: number; returned: number[] }[] }>('/api/metrics/retention', question)
          const told = cohorts.map(({ at, size, returned }) => ({ at, size, returned }))
          expect(told, `${JSON.stringify(question)}`).toEqual(retention(model.people, start, back, interval, counting, { zone, from, to: model.to }, 4))
          compared++
        }
  return compared
}

const compareFunnels = async (millrace: Millrace, model: Model): Promise<number> => {
  let compared = 0
  for (const steps of [[VIEWED, PURCHASE], ['Page Viewed', VIEWED, ADDED, PURCHASE], [VIEWED, VIEWED, VIEWED], [PURCHASE, REFUND]])
    for (const [window, ms] of [['20s', 20_000], ['3h', 10_800_000], ['2d', 172_800_000]] as const)
      for (const equalTimes of ['in-order', 'refused'] as const) {
        const period = { zone: model.zone, from: addDays(model.from, 3), to: addDays(model.to, -1) }
        const question = { steps: steps.map((event) => ({ event })), window, equalTimes, ...period }
        const answer = await millrace.api<{ steps: { people: number }[] }>('/api/metrics/funnel', question)
        expect(answer.steps.map(({ people }) => people), `${JSON.stringify(question)}`).toEqual(funnel(model.people, steps, ms, equalTimes, period))
        compared++
      }
  return compared
}

interface Members {
  readonly members: readonly { readonly personId: string }[]
}

const compareSegments = async (millrace: Millrace, { people, clock, zone }: Model, sent: Sent): Promise<number> => {
  const ids = new Map((await millrace.sql<{ id: string; key: string }>("SELECT person_id AS id, arrayJoin(arrayMap(one -> concat(JSONExtractString(one, 'type'), ':', JSONExtractString(one, 'value')), JSONExtractArrayRaw(identities))) AS key FROM millrace.people")).map(({ id, key }) => [key, id]))
  let compared = 0
  for (const { id, rule } of sent.segments) {
    const { holds, rule: asked } = RULES[rule]!
    const wanted = new Set(people.filter((person) => holds(person, clock, zone)).map(({ keys }) => ids.get(keys[0]!)!))
    const { members } = await millrace.api<Members>(`/api/segments/${id}/members?limit=1000`)
    expect(members.map(({ personId }) => personId).sort(), `members of ${JSON.stringify(asked)}`).toEqual([...wanted].sort())
    const { size } = await millrace.api<{ size: number }>('/api/segments/preview', { rule: asked })
    expect(size, `preview of ${JSON.stringify(asked)}`).toBe(wanted.size)
    for (const { keys } of people.slice(0, 8)) {
      const personId = ids.get(keys[0]!)!
      expect((await millrace.api<{ in: boolean }>(`/api/segments/${id}/people/${personId}`)).in, `explained ${keys[0]}`).toBe(wanted.has(personId))
      compared++
    }
    compared += 2
  }
  const broken = await millrace.sql('SELECT segment_id, person_id, groupArray(flip) AS flips FROM (SELECT * FROM millrace.flips ORDER BY number) GROUP BY segment_id, person_id HAVING arraySort(groupArray(number)) != arrayEnumerate(groupArray(number)) OR arrayExists((one, n) -> (one = \'entered\') != (n % 2 = 1), flips, arrayEnumerate(flips))')
  expect(broken, 'flips go in and out by turns').toEqual([])
  return compared + 1
}
