import type { Key, KeyPlaced, MapLine, Project, ResolvedEventLine, ResolvedLine } from '@millrace/contracts'
import { chanceFrom, decodeRecord, homeOf, shardOf, topics } from '@millrace/contracts'
import type { decide, KeyDocument } from '@millrace/identity'
import { activeSlots, keyDocumentId, onCommand, onEvent, onPlaced, personOf } from '@millrace/identity'
import type { LogRecord } from '@millrace/ports'
import { openIdentity } from '../../../src/identity/index.ts'
import type { HomeFolds } from '../../../src/resolve/index.ts'
import { openResolve, resolveScope } from '../../../src/resolve/index.ts'
import type { Expected } from './expected.ts'
import { expectedOf, flipsOf } from './expected.ts'
import type { History } from './history.ts'
import { randomHistory, recordOf, START } from './history.ts'
import type { PersonFolds, SmallPerson, Tally } from './small-fold.ts'
import { openSmallFold, personFolds, smallScope, tally } from './small-fold.ts'
import type { Sabotage, Wiring } from './world.ts'
import { World } from './world.ts'

/** What a mutation changes. Nothing of it lies in the code under test: it is passed in, or done to records under way. */
export interface Mutation extends Sabotage {
  readonly person?: Partial<PersonFolds>
  readonly home?: Partial<HomeFolds>
  readonly decide?: typeof decide
  /** The project as the consumers are told of it. */
  readonly project?: (project: Project) => Project
  readonly always?: Wiring
}

export interface Run {
  readonly seed: number
  readonly faults: readonly string[]
  readonly accepted: number
  readonly moves: number
  readonly passedOn: number
  readonly refused: number
  readonly flips: number
  readonly counts: World['counts']
  /** Keys of each person at the homes. */
  readonly persons: readonly (readonly Key[])[]
  readonly expected: Expected
}

export interface Options {
  readonly seed: number
  readonly history?: History
  readonly mutation?: Mutation
}

/** Keeps the histories that seeds named before all chance came from one place. */
const SALT = 0x9e3779b9

/** One history under one schedule, to the end, and what was wrong with the outcome. */
export const simulate = async ({ seed, history: given, mutation = {} }: Options): Promise<Run> => {
  const random = chanceFrom(seed ^ SALT)
  const history = given ?? randomHistory(random)
  const shape = {
    accepted: 3 + random.below(6),
    resolved: 3 + random.below(6),
    wiring: mutation.always ?? random.pick(['embedded', 'stack'] as const),
    crash: random.pick([0, 0.02, 0.1]),
    rebalance: random.pick([0, 0.02, 0.1]),
  }
  const crash = mutation.always ? 0.1 : shape.crash
  const world = new World(random, { wiring: shape.wiring, crash, rebalance: shape.rebalance, sabotage: mutation })
  seatConsumers(world, history.project, shape, mutation)
  const weights = { resolve: random.pick([0, 0.5]), identity: random.pick([0, 0.6, 0.9]), fold: random.pick([0, 0.5, 0.8]) }
  let at = START
  for (const arrival of history.arrivals) {
    at = Math.max(at, START + arrival.time * 1000) + 1
    world.append([recordOf(history.project, arrival, at, shape.accepted)])
    for (let steps = random.below(random.pick([2, 12])); steps > 0; steps--) await world.step(weights)
  }
  for (let steps = random.below(60); steps > 0; steps--) await world.step(weights)
  await world.drain()
  return check(world, history, shape, seed)
}

const seatConsumers = (world: World, project: Project, shape: { accepted: number; resolved: number }, mutation: Mutation): void => {
  world.topic(topics.accepted.name, shape.accepted)
  world.topic(topics.resolved.name, shape.resolved)
  for (const topic of [topics.facts, topics.map, topics.segmentChanged, topics.rejected]) world.topic(topic.name, 1)
  const told = mutation.project?.(project) ?? project
  const projects = { all: () => [told], byId: (id: number) => (id === project.id ? told : undefined), refresh: async () => {} }
  const logger = { warn: () => {}, error: () => {} }
  const { hot } = world
  const folds = { onEvent, onCommand, onPlaced, ...mutation.home }
  world.consumer(openResolve({ hot, projects, logger, folds, documentsMax: 20, partitions: { resolved: shape.resolved, facts: 1 } }))
  world.consumer(
    openIdentity({
      hot,
      projects,
      logger,
      documentsMax: 20,
      partitions: { accepted: shape.accepted, map: 1 },
      ...(mutation.decide && { decide: mutation.decide }),
    }),
  )
  world.consumer(openSmallFold({ hot, partitions: shape.resolved, folds: { ...personFolds, ...mutation.person } }))
}

const linesOf = <Line>(records: readonly LogRecord[]): readonly Line[] =>
  records.flatMap((record) => decodeRecord(record.value).lines().map((line) => JSON.parse(line.toString()) as Line))

const check = (world: World, { project }: History, shape: { accepted: number; resolved: number }, seed: number): Run => {
  const faults: string[] = []
  const wrong = (what: string, detail: unknown): void => void faults.push(`${what}: ${JSON.stringify(detail)}`)
  const accepted = world.records(topics.accepted.name)
  const resolved = world.records(topics.resolved.name)
  const expected = expectedOf(project, accepted)
  const persons = checkHomes(world, project, expected, shape.accepted, wrong)
  const map = linesOf<MapLine>(world.records(topics.map.name).flat())
  checkMap(map, expected, wrong)
  const lines = linesOf<ResolvedLine>(resolved.flat())
  checkEvents(lines, expected, wrong)
  checkPersons(world, shape.resolved, expected, wrong)
  const flips = checkFlips(world, resolved, wrong)
  const placed = linesOf<KeyPlaced>(accepted.flat()).filter((line) => line.type === 'key.placed')
  return {
    seed,
    faults,
    accepted: accepted.flat().length - placed.length,
    moves: lines.filter((line) => line.type === 'number.moved').length,
    passedOn: passedOn(lines),
    refused: map.filter((line) => line.type === 'link.refused').length,
    flips,
    counts: world.counts,
    persons,
    expected,
  }
}

/** Times that a number left before its past had come. */
const passedOn = (lines: readonly ResolvedLine[]): number => {
  const arrived = new Set<string>()
  let count = 0
  for (const line of lines) {
    if (line.type === 'number.expected') arrived.add(`${line.number}@${line.epoch}`)
    if (line.type === 'number.moved') arrived.delete(`${line.number}@${line.epoch}`)
    if (line.type === 'number.left' && arrived.has(`${line.number}@${line.epoch}`)) count++
  }
  return count
}

type Wrong = (what: string, detail: unknown) => void

const checkHomes = (world: World, project: Project, expected: Expected, partitions: number, wrong: Wrong): readonly (readonly Key[])[] => {
  const persons = new Map<string, Key[]>()
  for (const [key, number] of expected.numbers) {
    const scope = resolveScope(homeOf(shardOf(project.id, key), partitions))
    const document = world.documents(scope).get(keyDocumentId(project.id, key)) as KeyDocument | undefined
    if (!document || document.number !== number) {
      wrong('number', { key, number, document })
      continue
    }
    const person = personOf(project.id, key, document)
    if (person !== expected.map.person.get(key)) wrong('person at the home', { key, person })
    persons.set(person, [...(persons.get(person) ?? []), key].sort())
  }
  return [...persons.values()]
}

const checkMap = (map: readonly MapLine[], expected: Expected, wrong: Wrong): void => {
  const latest = new Map<number, MapLine & { type: 'number.mapped' }>()
  for (const line of map) {
    if (line.type !== 'number.mapped') continue
    if ((latest.get(line.number)?.version ?? 0) > line.version) wrong('map went back', line)
    latest.set(line.number, line)
  }
  for (const [key, number] of expected.numbers) {
    const line = latest.get(number)
    const want = { key, person: expected.map.person.get(key), personNumber: expected.map.personNumber.get(key) }
    if (line?.key !== want.key || line.person !== want.person || line.personNumber !== want.personNumber) wrong('map', { want, line })
  }
  if (latest.size !== expected.numbers.size) wrong('numbers in the map', latest.size)
  const refused = new Map<string, boolean>()
  for (const line of map) if (line.type !== 'number.mapped') refused.set(`${line.a}\n${line.b}`, line.type === 'link.refused')
  const open = [...refused].filter(([, is]) => is).map(([pair]) => pair)
  const want = new Set([...expected.map.refused].map((id) => id.slice(2)))
  if (open.some((pair) => !want.has(pair)) || [...want].some((pair) => !refused.get(pair))) wrong('refused links', { open, want: [...want] })
}

const checkEvents = (lines: readonly ResolvedLine[], expected: Expected, wrong: Wrong): void => {
  const stored = new Map<number, string[]>()
  for (const line of lines) {
    if (line.type !== 'event') continue
    const { messageId } = (line as ResolvedEventLine).event as { messageId: string }
    stored.set(line.number, [...(stored.get(line.number) ?? []), messageId])
  }
  const plain = (events: ReadonlyMap<number, readonly string[]>) =>
    JSON.stringify([...events].map(([number, ids]) => [number, [...ids].sort()] as const).sort(([a], [b]) => a - b))
  if (plain(stored) !== plain(expected.eventsOfNumber)) wrong('stored events', [stored.size, expected.eventsOfNumber.size])
}

const checkPersons = (world: World, partitions: number, expected: Expected, wrong: Wrong): void => {
  const found = new Map<string, Tally>()
  for (let partition = 0; partition < partitions; partition++) {
    for (const [id, document] of world.documents(smallScope(partition))) {
      const person = id.slice(id.indexOf('/') + 1)
      const { slots } = document as SmallPerson
      if (Object.values(slots).some((slot) => slot.expected || slot.leaving)) wrong('a move never ended', { person, slots })
      const state = activeSlots<Tally>(document as SmallPerson).reduce((sum, slot) => tally.add(sum, slot.state), tally.empty())
      if (state.count > 0) found.set(person, state)
    }
  }
  const plain = (tallies: ReadonlyMap<string, Tally>) => JSON.stringify([...tallies].sort(([a], [b]) => (a < b ? -1 : 1)))
  if (plain(found) !== plain(expected.tallies)) wrong('profiles', { found: found.size, expected: expected.tallies.size })
}

const checkFlips = (world: World, resolved: readonly (readonly LogRecord[])[], wrong: Wrong): number => {
  const told = new Map<string, number>()
  const flips = linesOf<{ person: string; number: number }>(world.records(topics.segmentChanged.name).flat())
  for (const { person, number } of flips) {
    if (number !== (told.get(person) ?? 0) + 1) wrong('flips with a gap', { person, number })
    told.set(person, number)
  }
  for (const records of resolved) {
    for (const [person, count] of flipsOf(records)) {
      if ((told.get(person) ?? 0) !== count) wrong('flips', { person, told: told.get(person) ?? 0, count })
      told.delete(person)
    }
  }
  if (told.size > 0) wrong('flips of nobody', [...told])
  return flips.length
}

export interface Totals {
  runs: number
  accepted: number
  moves: number
  passedOn: number
  refused: number
  flips: number
  steps: number
  crashes: number
  rebalances: number
  replayed: number
  lateWrites: number
  moved: number
}

/** Many seeds in a row: the sum of what they went through, and the first that failed. */
export const simulateMany = async (from: number, count: number): Promise<{ readonly totals: Totals; readonly failed: readonly Run[] }> => {
  const totals: Totals = { runs: 0, accepted: 0, moves: 0, passedOn: 0, refused: 0, flips: 0, steps: 0, crashes: 0, rebalances: 0, replayed: 0, lateWrites: 0, moved: 0 }
  const failed: Run[] = []
  for (let seed = from; seed < from + count; seed++) {
    const run = await simulate({ seed })
    totals.runs++
    for (const field of ['accepted', 'moves', 'passedOn', 'refused', 'flips'] as const) totals[field] += run[field]
    for (const field of ['steps', 'crashes', 'rebalances', 'replayed', 'lateWrites', 'moved'] as const) totals[field] += run.counts[field]
    if (run.faults.length > 0) failed.push(run)
  }
  return { totals, failed }
}

