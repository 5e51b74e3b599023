import type { IdentityFact, KeyPlaced, ResolvedLine } from '@millrace/contracts'
import { decodeRecord, encodeRecord, homeOf, partitionOfPerson, shardOf, topics } from '@millrace/contracts'
import type { KeyDocument } from '@millrace/identity'
import { decide, keyDocumentId, onCommand, onEvent, onLeft, onPlaced, personOf, slotId } from '@millrace/identity'
import type { NewRecord, Step } from '@millrace/ports'
import { resolveScope } from '../../../src/resolve/index.ts'
import type { Mutation } from './simulate.ts'
import type { World } from './world.ts'

const decideOf =
  (change: (fact: IdentityFact, offset: number) => IdentityFact): typeof decide =>
  (project, read, fact, at) =>
    decide(project, read, change(fact, at.offset), at)

/** Each takes one rule out; the name says which. */
export const mutations: Readonly<Record<string, Mutation>> = {
  'identity routes instead of the home (R4)': {
    home: { onPlaced: (...given) => ({ ...onPlaced(...given), left: null, expected: null }) },
    step: (group, step, _batch, world) => (group === 'identity' ? routedByIdentity(step, world) : step),
  },
  'forward before the past has come (R9)': {
    person: {
      onLeft: (document, line, algebra) => {
        const id = slotId(line.number, line.epoch)
        const { expected: _dropped, ...slot } = document.slots[id] ?? { state: algebra.empty() }
        return onLeft({ ...document, slots: { ...document.slots, [id]: slot } }, line, algebra)
      },
    },
  },
  'no expected (R9)': { home: { onPlaced: (...given) => ({ ...onPlaced(...given), expected: null }) } },
  'slots without epoch (R10)': { person: { epochOf: () => 0 } },
  'no hold of flips (R11)': { person: { isHeld: () => false } },
  'flip numbers forgotten (R12)': {
    person: {
      onLeft: (document, line, algebra) => {
        const step = onLeft(document, line, algebra)
        return Object.keys(step.document.slots).length > 0 ? step : { ...step, document: { ...step.document, flips: 0 } }
      },
    },
  },
  'arrival order instead of time (R5)': {
    decide: decideOf((fact, offset) =>
      fact.type === 'pair.linked' && fact.first ? { ...fact, first: { time: Number.MAX_SAFE_INTEGER - 1e6 + offset, messageId: '' } } : fact,
    ),
  },
  'merges in layer 1 (R6)': {
    decide: decideOf((fact) =>
      fact.type === 'keys.merged' ? { type: 'pair.linked', a: fact.a, b: fact.b, first: fact.order, unlinkedUpTo: null, at: fact.at } : fact,
    ),
  },
  'no unique': {
    project: (project) => {
      const types = ['user_id', 'email', 'mobile'].map((type) => ({ type, uniquePerPerson: false }))
      return { ...project, identity: { ...project.identity, types: types.slice(1).concat(types[0]!) } }
    },
  },
  'no maxKeys': { project: (project) => ({ ...project, identity: { ...project.identity, keysPerPersonMax: 10_000 } }) },
  'no maxMerged': { project: (project) => ({ ...project, identity: { ...project.identity, mergedPersonsMax: 10_000 } }) },
  'no sharedMax': { project: (project) => ({ ...project, identity: { ...project.identity, usersPerDeviceMax: 10_000 } }) },
  'no unlinkedUpTo (R3)': {
    home: {
      onCommand: (...given) => {
        const step = onCommand(...given)
        const pairs = Object.entries(step.document.pairs).map(([key, pair]) => [key, { ...pair, unlinkedUpTo: null }] as const)
        return { facts: step.facts.filter((fact) => fact.type !== 'keys.unmerged'), document: { ...step.document, pairs: Object.fromEntries(pairs) } }
      },
    },
  },
  'earlier link ignored (R2)': {
    home: {
      onEvent: (document, ...given) => {
        const step = onEvent(document, ...given)
        return { ...step, facts: step.facts.filter((fact) => fact.type !== 'pair.linked' || !document.pairs[fact.b]?.first) }
      },
    },
  },
  'blocked values are identities': {
    step: (group, step) => (group === 'resolve' ? { ...step, outputs: step.outputs.concat(factOfBlocked(step)) } : step),
  },
  'output and position not atomic': { always: 'stack', outputsApartFromPosition: true },
  'state before commit': { always: 'stack', stateBeforeCommit: true },
  'skip missing: documents ahead of the watermark are folded again (R14)': { always: 'stack', watermarkLate: true },
  'watermark early': { always: 'stack', watermarkEarly: true },
  'repeat filter without position': { always: 'stack', unboundPrefix: 'seen/' },
  'counters without position': { always: 'stack', unboundPrefix: 'counter/' },
  'keys without position': { always: 'stack', unboundPrefix: 'key/' },
  'a late write of another copy is not seen (R17)': { always: 'stack', blindToLateWrites: true },
  'identity stored value by value (R15)': { always: 'stack', unboundPrefix: 'b/' },
}

/** Left and expected straight to the persons' partitions, from what the home last stored. */
const routedByIdentity = (step: Step, world: World): Step => {
  const accepted = world.records(topics.accepted.name).length
  const resolved = world.records(topics.resolved.name).length
  const outputs: NewRecord[] = [...step.outputs]
  for (const record of step.outputs) {
    const { header, lines } = decodeRecord(record.value)
    if (header.kind !== 'control') continue
    for (const text of lines()) {
      const line = JSON.parse(text.toString()) as KeyPlaced
      const scope = resolveScope(homeOf(shardOf(header.project, line.key), accepted))
      const document = world.documents(scope).get(keyDocumentId(header.project, line.key)) as KeyDocument | undefined
      if (!document || document.number === null) continue
      const { number, epoch } = document
      const person = personOf(header.project, line.key, document)
      const told: readonly ResolvedLine[] = [
        { type: 'number.left', number, epoch, nextEpoch: line.epoch, person, to: line.person },
        { type: 'number.expected', number, epoch: line.epoch, person: line.person },
      ]
      for (const each of told) {
        if (!('person' in each)) continue
        const value = encodeRecord({ kind: 'resolved', project: header.project, count: 0, origins: [] }, [JSON.stringify(each)])
        outputs.push({ topic: topics.resolved.name, partition: partitionOfPerson(each.person, resolved), value })
      }
    }
  }
  return { ...step, outputs }
}

/** As if the blocked user "null" were a user: it would join all its devices. */
const factOfBlocked = (step: Step): readonly NewRecord[] =>
  step.outputs.flatMap((record): readonly NewRecord[] => {
    const { header, lines } = decodeRecord(record.value)
    if (header.kind !== 'resolved') return []
    return lines().flatMap((text) => {
      const line = JSON.parse(text.toString()) as ResolvedLine
      if (line.type !== 'event') return []
      const { userId, anonymousId, timestamp, messageId } = line.event as Record<string, string>
      if (userId !== 'null' || !anonymousId) return []
      const first = { time: Date.parse(timestamp!), messageId: messageId! }
      const fact: IdentityFact = { type: 'pair.linked', a: 'user_id:null', b: `anonymous_id:${anonymousId}`, first, unlinkedUpTo: null, at: 0 }
      const value = encodeRecord({ kind: 'facts', project: header.project, count: 0, origins: [] }, [JSON.stringify(fact)])
      return [{ topic: topics.facts.name, partition: 0, value }]
    })
  })
