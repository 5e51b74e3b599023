import type { IdentityFact, Key, Order } from '@millrace/contracts'
import { chanceFrom, keyOf } from '@millrace/contracts'
import { describe, expect, it } from 'vitest'
import { decideAlone } from './decide-alone.ts'
import { decide, decideWhole } from './decide.ts'
import type { BaseDocument, LinkDocument, PersonKeys } from './documents.ts'
import { type IdentityProject, Neighbourhood } from './neighbourhood.ts'
import { referenceMap } from './simulation/reference.ts'

const projectOf = (identity: Partial<IdentityProject['identity']>): IdentityProject => ({
  id: 1,
  identity: { types: [], blockedValues: [], keysPerPersonMax: 1000, mergedPersonsMax: 10, usersPerDeviceMax: 50, ...identity },
})

/** Facts as homes would tell them: of one pair in its home's order, of several pairs in any order. */
const randomFacts = (seed: number): { project: IdentityProject; facts: readonly IdentityFact[] } => {
  const random = chanceFrom(seed)
  const project = projectOf({
    types: [{ type: 'email', uniquePerPerson: true }, { type: 'mobile', uniquePerPerson: false }],
    keysPerPersonMax: random.pick([3, 5, 1000]),
    mergedPersonsMax: random.pick([2, 3, 10]),
    usersPerDeviceMax: random.pick([1, 2, 50]),
  })
  const size = 2 + random.below(6)
  const user = (): Key => keyOf('user_id', `x${random.below(size)}`)
  const device = (): Key => keyOf('anonymous_id', `x${random.below(size * 2)}`)
  const other = (): Key => random.pick([device(), device(), keyOf('email', `m${random.below(size)}`), keyOf('mobile', `p${random.below(size)}`)])
  const order = (): Order => ({ time: random.below(60), messageId: `m${random.below(9)}` })
  const facts: IdentityFact[] = []
  const numbered = new Set<Key>()
  for (let at = 0; at < 60; at++) {
    const key = random.happens(0.7) ? user() : device()
    const kind = random.below(12)
    if (kind < 4 && !numbered.has(key)) facts.push({ type: 'key.numbered', key, number: numbered.add(key).size * 7 % 53, at })
    else if (kind < 5 && key.startsWith('user')) facts.push({ type: 'user.seen', key, at })
    else if (kind < 9) {
      const first = random.happens(0.85) ? order() : null
      facts.push({ type: 'pair.linked', a: key, b: other(), first, unlinkedUpTo: null, at })
    } else if (kind < 10) facts.push({ type: 'keys.merged', a: user(), b: random.happens(0.7) ? user() : device(), order: order(), by: '', at })
    else if (kind < 11) facts.push({ type: 'keys.unmerged', a: user(), b: random.happens(0.7) ? user() : device(), order: order(), by: '', at })
    else facts.push({ type: 'keys.aliased', x: `x${random.below(size)}`, y: `x${random.below(size)}`, order: order(), at })
  }
  return { project, facts: facts.filter((fact) => !('a' in fact) || fact.a !== fact.b) }
}

/** Sign-ins as homes tell them, of several people in between each other, some facts missing, some links of others. */
const firstFacts = (seed: number): { project: IdentityProject; facts: readonly IdentityFact[] } => {
  const random = chanceFrom(seed)
  const people = Array.from({ length: 20 }, (_, at): IdentityFact[] => {
    const user = keyOf('user_id', random.happens(0.1) ? `d${at}` : `u${at}`)
    const device = random.happens(0.2) ? keyOf('email', `m${at}`) : keyOf('anonymous_id', `d${random.happens(0.1) ? random.below(20) : at}`)
    const pair = random.happens(0.8) ? { a: user, b: device } : { a: device, b: user }
    const facts: IdentityFact[] = [
      { type: 'key.numbered', key: device, number: at * 2, at },
      { type: 'user.seen', key: user, at },
      { type: 'key.numbered', key: user, number: at * 2 + 1, at },
      { type: 'pair.linked', ...pair, first: { time: random.below(60), messageId: `m${at}` }, unlinkedUpTo: null, at },
    ]
    return facts.filter(() => random.happens(0.9))
  })
  const facts: IdentityFact[] = []
  while (people.some((own) => own.length > 0)) facts.push(...random.pick(people.filter((own) => own.length > 0)).splice(0, 1))
  return { project: projectOf({ types: [{ type: 'email', uniquePerPerson: true }], keysPerPersonMax: random.pick([1, 2, 1000]) }), facts }
}

const stored = (documents: ReadonlyMap<string, unknown>) => {
  const person: Record<Key, string> = {}
  const personNumber: Record<Key, number | null> = {}
  const members: Record<string, readonly Key[]> = {}
  const refused: string[] = []
  for (const [id, document] of documents) {
    if (document === null) continue
    if (id.startsWith('b/')) {
      for (const [key, state] of Object.entries((document as BaseDocument).keys)) {
        person[key] = state.person
        personNumber[key] = state.personNumber
      }
    } else if (id.startsWith('p/')) members[id.split('/')[2]!] = (document as PersonKeys).keys
    else for (const [link, outcome] of Object.entries((document as LinkDocument).outcomes)) if (outcome !== 'joined') refused.push(link)
  }
  return { person, personNumber, members, refused: refused.sort() }
}

describe('decide', () => {
  it('gives after every fact what a naive look at all facts gives (R5, R6, R8)', () => {
    let facts = 0
    for (let seed = 0; seed < 80; seed++) {
      const history = randomFacts(seed)
      const documents = new Map<string, unknown>()
      const told: Record<Key, string> = {}
      history.facts.forEach((fact, offset) => {
        const decision = decide(history.project, (id) => documents.get(id) ?? null, fact, { offset })
        for (const [id, document] of decision.puts) documents.set(id, document)
        for (const line of decision.placed) told[line.key] = line.person
        const reference = referenceMap(history.project, history.facts.slice(0, offset + 1))
        const members: Record<string, Key[]> = {}
        for (const [key, person] of reference.person) (members[person] ??= []).push(key)
        for (const keys of Object.values(members)) keys.sort()
        // The seed and the fact stand in the value, so that a failure names them.
        expect({ seed, offset, fact, ...stored(documents) }).toEqual({
          seed,
          offset,
          fact,
          person: Object.fromEntries(reference.person),
          personNumber: Object.fromEntries(reference.personNumber),
          refused: [...reference.refused].sort(),
          members,
        })
        facts++
      })
      for (const [key, person] of Object.entries(told)) expect(stored(documents).person[key]).toBe(person)
    }
    process.stdout.write(`${facts} facts, each held against the reference\n`)
  })

  it('decides first facts the short way as it would the whole way', () => {
    const short: Record<string, number> = {}
    for (let seed = 0; seed < 100; seed++) {
      const { project, facts } = seed % 2 === 0 ? randomFacts(seed) : firstFacts(seed)
      const documents = new Map<string, unknown>()
      const read = (id: string): unknown => documents.get(id) ?? null
      facts.forEach((fact, offset) => {
        const alone = decideAlone(new Neighbourhood(project, read), fact, { offset })
        const whole = decideWhole(new Neighbourhood(project, read), read, fact, { offset })
        if (alone) {
          expect({ seed, offset, fact, decision: alone }).toEqual({ seed, offset, fact, decision: whole })
          short[fact.type] = (short[fact.type] ?? 0) + 1
        }
        for (const [id, document] of whole.puts) documents.set(id, document)
      })
    }
    process.stdout.write(`the short way: ${JSON.stringify(short)}\n`)
    expect(Object.keys(short).sort()).toEqual(['key.numbered', 'pair.linked', 'user.seen'])
  })
})
