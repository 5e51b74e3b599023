import {
  createZone, decodeEvent, decodeRecord, hash32, isRefusal, type NumberMoved, type ResolvedEventLine,
} from '@millrace/contracts'
import { emptyState, includeEvent, profileOf, type ProfileState } from '@millrace/profile'
import type { StateWrite } from '@millrace/ports'
import { StateMoved } from '@millrace/service-kit'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldScope, linkedKeys, newDocument, personKey, type ProfileDocument, SNAPSHOT, statesOf } from '../src/fold/documents.ts'
import { createDurable, type Durable, eventLine, keyLines, Killed, moveLines, partitionOf, personOf, PROJECT, resolved, run, settings, T } from './fold-world.ts'

const UTC = createZone('UTC')
const MINUTE = 60_000
const [P, Q, R] = [personOf('p'), personOf('q'), personOf('r')]
const PERSONS = [P, Q, R, personOf('s'), personOf('t')]

const documentOf = (durable: Durable, person: string): ProfileDocument | undefined =>
  durable.scope(foldScope(partitionOf(person))).documents.get(personKey(PROJECT, person)) as ProfileDocument | undefined
const profileIn = (durable: Durable, person: string) => {
  const document = documentOf(durable, person) ?? newDocument
  return profileOf(statesOf(document), UTC, linkedKeys(document))
}
const toTheEnd = async (durable: Durable): Promise<void> => {
  const life = await run(durable)
  for (let more = true; more;) {
    more = false
    for (const partition of durable.committed.keys()) more = (await life.step(partition, 5)) || more
  }
  await life.flush()
}

describe('fold', () => {
  it('takes the state of a number that leaves to the person that it goes to', async () => {
    const durable = createDurable()
    const [left, expected] = moveLines(1, 0, 7, P, Q)
    durable.append([
      resolved(partitionOf(P), [eventLine({ number: 1, epoch: 0, person: P, messageId: 'a', at: T }), left]),
      resolved(partitionOf(Q), [expected, eventLine({ number: 1, epoch: 7, person: Q, messageId: 'b', at: T + MINUTE })]),
    ])
    await toTheEnd(durable)
    expect(documentOf(durable, P)).toBeUndefined()
    const { events, firstSeen, lastSeen, userId } = profileIn(durable, Q)
    expect([events, firstSeen, lastSeen, userId]).toEqual([2, new Date(T).toISOString(), new Date(T + MINUTE).toISOString(), 'u1'])
    expect([durable.rows.get(P)!['gone'], durable.rows.get(Q)!['gone']]).toEqual([true, false])
    const moved = durable.records.flat().flatMap(({ value }) => decodeRecord(value).lines().map((line) => JSON.parse(String(line)) as NumberMoved))
      .filter(({ type }) => type === 'number.moved')
    expect(moved.map(({ person, number, epoch, clock }) => [person, number, epoch, clock])).toEqual([[Q, 1, 7, T + 86_400_000]])
  })
  it('leaves events of nobody and lines of others alone', async () => {
    const durable = createDurable()
    const nobody = { ...eventLine({ number: 64, epoch: 0, person: P, messageId: 'a', at: T }), key: 'none:5' }
    durable.append([resolved(partitionOf(P), [
      nobody, { type: 'number.moved', for: 'segmentation', number: 1, epoch: 1, person: P, state: { x: 1 }, clock: T },
      { type: 'rule.changed', segment: 's', version: 1, name: 'n', rule: null, at: T },
    ])])
    await toTheEnd(durable)
    expect([documentOf(durable, P), durable.rows.size]).toEqual([undefined, 0])
  })
  it('does not remember a key that leaves a person of whom nothing is known', async () => {
    const durable = createDurable()
    const [left, joined] = keyLines('anonymous_id:a', 3, P, Q)
    durable.append([resolved(partitionOf(P), [left]), resolved(partitionOf(Q), [joined])])
    await toTheEnd(durable)
    expect([documentOf(durable, P), durable.rows.has(P), profileIn(durable, Q).anonymousIds, durable.rows.get(Q)!['gone']]).toEqual([undefined, false, ['a'], true])
  })
  it('remembers the clock of the partition', async () => {
    const durable = createDurable()
    durable.append([resolved(0, [{ type: 'clock.advanced', at: T + 9 }], T)])
    await toTheEnd(durable)
    expect(durable.scope(foldScope(0)).documents.get('clock')).toEqual({ at: T + 9 })
  })
  it('writes everybody again when the log does not reach back to the snapshots', async () => {
    const durable = createDurable()
    for (const messageId of ['a', 'b']) {
      durable.append([resolved(partitionOf(P), [eventLine({ number: 1, epoch: 0, person: P, messageId, at: T })])])
      await toTheEnd(durable)
    }
    durable.rows.clear()
    durable.tokens.clear()
    durable.scope(foldScope(partitionOf(P))).documents.delete(SNAPSHOT)
    durable.records[partitionOf(P)]!.shift()
    await (await run(durable)).flush()
    expect([...durable.rows.keys()]).toEqual([P])
    expect(durable.scope(foldScope(partitionOf(P))).documents.get(SNAPSHOT)).toEqual({ position: 2 })
  })
})

// ── any history, any kill ──────────────────────────────────────────────────────────────────────────────
type Act = { readonly kind: 'event'; readonly number: number; readonly minute: number; readonly name: string } | { readonly kind: 'move'; readonly number: number; readonly to: number }
const anyAct: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('event' as const), number: fc.nat(5), minute: fc.nat(300), name: fc.constantFrom('Clicked', 'Order Completed') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('move' as const), number: fc.nat(5), to: fc.nat(4) }) },
)

/** Writes the history as resolve would, and tells which events each person has at the end. */
const write = (durable: Durable, acts: readonly Act[]): { events: ReadonlyMap<string, ResolvedEventLine[]>; keysOf: (person: string) => string[] } => {
  const where = Array.from({ length: 6 }, (_, number) => ({ person: PERSONS[number % PERSONS.length]!, epoch: 0 }))
  const events: ResolvedEventLine[] = []
  acts.forEach((act, n) => {
    const at = where[act.number]!
    if (act.kind === 'event') {
      const line = eventLine({ ...at, number: act.number, messageId: `m${n}`, at: T + act.minute * MINUTE, name: act.name, body: { properties: { revenue: n, order_id: n % 3 } } })
      events.push(line)
      durable.append([resolved(partitionOf(at.person), [line])])
    } else if (PERSONS[act.to] !== at.person) {
      const [left, expected] = moveLines(act.number, at.epoch, n + 1, at.person, PERSONS[act.to]!)
      const [keyLeft, keyJoined] = keyLines(`anonymous_id:k${act.number}`, n + 1, at.person, PERSONS[act.to]!)
      durable.append([resolved(partitionOf(at.person), [left, keyLeft]), resolved(partitionOf(PERSONS[act.to]!), [expected, keyJoined])])
      where[act.number] = { person: PERSONS[act.to]!, epoch: n + 1 }
    }
  })
  const byPerson = new Map<string, ResolvedEventLine[]>()
  for (const line of events) {
    const { person } = where[line.number]!
    byPerson.set(person, [...(byPerson.get(person) ?? []), line])
  }
  const keysOf = (person: string): string[] =>
    where.flatMap((at, number) => (at.epoch > 0 && at.person === person ? [`anonymous_id:k${number}`] : []))
  return { events: byPerson, keysOf }
}

const naive = (lines: readonly ResolvedEventLine[]): ProfileState => {
  const state = emptyState()
  for (const line of lines) {
    const event = decodeEvent({ source: 'web', protocol: 'segment', receivedAt: T + 86_400_000, sentAt: null }, settings, line.event)
    if (!isRefusal(event)) includeEvent(state, event, line.key, line.number)
  }
  return state
}

const RUNS = Number(process.env['MILLRACE_PROPERTY_RUNS'] ?? 80)

describe('fold and snapshots over kills', () => {
  for (const stack of [false, true]) {
    it(`end with the same profiles, hot and in the column store (${stack ? 'state after the commit' : 'state with the commit'})`, async () => {
      const kills = new Map<string, number>()
      await fc.assert(fc.asyncProperty(fc.array(anyAct, { maxLength: 30 }), fc.integer(), async (acts, seed) => {
        const durable = createDurable()
        const expected = write(durable, acts)
        let rolled = 0
        const roll = (): number => hash32(`${seed}/${rolled++}`)
        const probe = (point: string): void => {
          if (rolled > 350 || roll() % 6 !== 0) return
          kills.set(point, (kills.get(point) ?? 0) + 1)
          throw new Killed(point)
        }
        for (let done = false; !done;) {
          try {
            const life = await run(durable, { stack, probe })
            for (let idle = 0; idle < 30;) {
              idle = (await life.step(roll() % 4, 1 + (roll() % 3))) ? 0 : idle + 1
              if (roll() % 4 === 0) await life.flush()
            }
            for (let more = true; more;) {
              more = false
              for (const partition of [0, 1, 2, 3]) more = (await life.step(partition, 2)) || more
            }
            await life.flush()
            done = true
          } catch (error) {
            if (!(error instanceof Killed)) throw error
          }
        }
        for (const person of PERSONS) {
          const told = profileOf([naive(expected.events.get(person) ?? [])], UTC, expected.keysOf(person))
          expect(profileIn(durable, person)).toEqual(told)
          const row = durable.rows.get(person)
          if (!row) expect(told.events).toBe(0)
          else expect([row['gone'], JSON.parse(String(row['document']))]).toEqual([told.events === 0, JSON.parse(JSON.stringify(told))])
        }
      }), { numRuns: RUNS })
      process.stdout.write(`fold over kills: ${RUNS} histories, killed ${[...kills].sort().map(([point, n]) => `${point} ${n}`).join(', ')}\n`)
      expect(kills.size).toBe(stack ? 6 : 5)
    })
  }
  it('discard their memory when the last write of a copy that lost the partition comes late (R17)', async () => {
    const durable = createDurable()
    const partition = partitionOf(P)
    for (const messageId of ['a', 'b', 'c']) durable.append([resolved(partition, [eventLine({ number: 1, epoch: 0, person: P, messageId, at: T })])])
    const late: StateWrite[] = []
    const other = await run({ ...durable, apply: (write) => { late.push(write); return true } })
    await other.step(partition, 3)
    const life = await run(durable)
    durable.apply(late[0]!)
    await expect(life.step(partition, 3)).rejects.toThrow(StateMoved)
    await toTheEnd(durable)
    expect(profileIn(durable, P).events).toBe(3)
  })
  it('would miss a person if the position were stored before the insert', async () => {
    const durable = createDurable()
    durable.append([resolved(partitionOf(P), [eventLine({ number: 1, epoch: 0, person: P, messageId: 'a', at: T })])])
    const life = await run(durable)
    await life.step(partitionOf(P), 1)
    // What a wrong order of the two steps would leave behind.
    await durable.hot.update(foldScope(partitionOf(P)), SNAPSHOT, () => ({ position: 1 }))
    await (await run(durable)).flush()
    expect(durable.rows.size).toBe(0)
  })
  it('does not write again what the column store has', async () => {
    const durable = createDurable()
    durable.append([resolved(partitionOf(P), [eventLine({ number: 1, epoch: 0, person: P, messageId: 'a', at: T })])])
    await toTheEnd(durable)
    const before = durable.inserts()
    await (await run(durable)).flush()
    expect([before, durable.inserts()]).toEqual([1, 1])
  })
  it('waits when more persons wait to be written than the bound', async () => {
    const durable = createDurable()
    const life = await run(durable)
    const partition = await life.snapshots.open(0, 0)
    const many = Array.from({ length: 1001 }, (_, n) => [personKey(PROJECT, personOf(`x${n}`)), { position: 1, clock: 0, slots: { '1@0': { state: naive([]) } } }] as const)
    partition.changed(new Map<string, ProfileDocument>(many), 1)
    await partition.room()
    expect(durable.rows.size).toBe(1001)
  })
})
