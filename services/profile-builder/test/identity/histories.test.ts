import type { Key } from '@millrace/contracts'
import { describe, expect, it } from 'vitest'
import type { Arrival } from './simulation/history.ts'
import { projectOf } from './simulation/history.ts'
import { simulate } from './simulation/simulate.ts'

const SCHEDULES = 30

/** `u1+a1@5`: an event of that user and device at that time; `m` is an email, `#id` a message id, `alias:x<y` names two ids. */
const arrivalsOf = (text: string): readonly Arrival[] =>
  text.split(';').map((part, index): Arrival => {
    const [, what = '', time, id = `m${index}`] = /^\s*([^@#]+?)\s*(?:@(\d+))?(?:#(\w+))?\s*$/.exec(part)!
    const common = { time: Number(time ?? index + 1), id }
    const asked = /^(merge|unlink) (\S+) (\S+)$/.exec(what)
    if (asked) return { kind: 'command', op: asked[1] as 'merge' | 'unlink', a: keyOf(asked[2]!), b: keyOf(asked[3]!), ...common }
    const alias = /^alias:(\S+)<(\S+)$/.exec(what)
    if (alias) return { kind: 'event', user: alias[1]!, previous: alias[2]!, ...common }
    const event: { kind: 'event'; user?: string; device?: string; traits?: Record<string, string>; amount: number } = { kind: 'event', amount: 7 }
    for (const name of what.split('+')) {
      if (name.startsWith('a')) event.device = name
      else if (name.startsWith('m')) event.traits = { email: name }
      else event.user = name
    }
    return { ...event, ...common }
  })

const keyOf = (name: string): Key => (name.startsWith('a') ? `anonymous_id:${name}` : name.startsWith('m') ? `email:${name}` : `user_id:${name}`)

interface Row {
  readonly history: string
  readonly persons: readonly string[]
  readonly refused?: readonly string[]
  readonly limits?: { keysPerPersonMax?: number; mergedPersonsMax?: number }
}

/** IDs that only name somebody (an email) are seen through the keys that they join. */
const rows: Readonly<Record<string, Row>> = {
  '1 first sign-in': { history: 'a1@1; u1+a1@5; a1@8', persons: ['u1 a1'] },
  '2 late past': { history: 'u1+a1@5; a1@1', persons: ['u1 a1'] },
  '3 sent three times': { history: 'a1@1; u1+a1@5#x; u1+a1@5#x; u1+a1@5#x', persons: ['u1 a1'] },
  '4 two devices': { history: 'a1@1; a2@2; u1+a1@5; u1+a2@6', persons: ['u1 a1 a2'] },
  '5 shared device': { history: 'a1@1; u1+a1@5; u2+a1@9; a1@12', persons: ['u1 a1', 'u2'], refused: ['a1 u2'] },
  '6 shared device, the second was earlier': { history: 'a1@1; u1+a1@5; u2+a1@9; a1@12; u2+a1@3', persons: ['u2 a1', 'u1'], refused: ['a1 u1'] },
  '7 equal times: the message id decides': { history: 'a1@1; u2+a1@5#b; u1+a1@5#a', persons: ['u1 a1', 'u2'], refused: ['a1 u2'] },
  '8 alias of a device': { history: 'a1@1; u1@2; alias:u1<a1@3', persons: ['u1 a1'] },
  '8 alias the other way': { history: 'a1@1; u1@2; alias:a1<u1@3', persons: ['u1 a1 user:a1'] },
  '9 alias of two devices': { history: 'a1@1; a2@2; alias:a1<a2@3; u1+a2@7', persons: ['u1 a1 a2 user:a1'] },
  '10 alias of two users': { history: 'u1@1; u2@2; alias:u1<u2@3', persons: ['u1 u2'] },
  '11 merge and unlink': { history: 'u1+a1@4; a1@5; u2+a1@6; merge u1 u2@7; unlink u1 u2@8', persons: ['u1 a1', 'u2'], refused: ['a1 u2'] },
  '12 chain cut': { history: 'u1+a1@1; a1@1; u2@1; u3@1; merge u1 u2@2; merge u2 u3@3; unlink u1 u2@4', persons: ['u1 a1', 'u2 u3'] },
  '13 cycle cut once': { history: 'u1@1; u2@1; u3@1; merge u1 u2@2; merge u2 u3@3; merge u1 u3@4; unlink u1 u2@5', persons: ['u1 u2 u3'] },
  '14 one email, two users': { history: 'u1+m1@2; u2+m1@3', persons: ['u1', 'u2'], refused: ['m1 u2'] },
  '15 one email, two devices': { history: 'a1+m1@1; a2+m1@3', persons: ['a1 a2'] },
  '16 then two users': { history: 'a1+m1@1; a2+m1@3; u1+a2@6; u2+a1@9', persons: ['u1 a1 a2', 'u2'], refused: ['a1 u2'] },
  '17 late link behind an unlink': { history: 'a1@1; u1+a1@5; unlink u1 a1@10; u1+a1@7', persons: ['u1', 'a1'] },
  '18 link after an unlink': { history: 'a1@1; u1+a1@5; unlink u1 a1@10; u1+a1@12', persons: ['u1 a1'] },
  '19 blocked value': { history: 'a1@1; a2@2; null+a1@3; null+a2@4', persons: ['a1', 'a2'] },
  '20 too many devices': {
    history: 'a1@1; a2@1; a3@1; a4@1; a5@1; u1+a1@2; u1+a2@3; u1+a3@4; u1+a4@5; u1+a5@6',
    persons: ['u1 a1 a2 a3 a4', 'a5'],
    refused: ['a5 u1'],
    limits: { keysPerPersonMax: 5 },
  },
  '20 too many merged': {
    history: 'u1@1; u2@1; u3@1; merge u1 u2@2; merge u1 u3@3',
    persons: ['u1 u2', 'u3'],
    refused: ['u1 u3'],
    limits: { mergedPersonsMax: 2 },
  },
}

const short = (key: Key): string => key.replace(/^user_id:(a.*)$/, 'user:$1').replace(/^(user_id|anonymous_id|email):/, '')
const sorted = (names: readonly string[]): string => [...names].sort().join(' ')

describe('the twenty histories', () => {
  for (const [name, row] of Object.entries(rows)) {
    it(`${name}: ${row.history} → ${row.persons.map((person) => `{${person}}`).join(' ')}`, async () => {
      const project = projectOf({ types: [{ type: 'email', uniquePerPerson: true }], ...row.limits })
      for (let seed = 1; seed <= SCHEDULES; seed++) {
        const run = await simulate({ seed, history: { project, arrivals: arrivalsOf(row.history) } })
        expect(run.faults).toEqual([])
        expect(run.persons.map((keys) => sorted(keys.map(short))).sort()).toEqual(row.persons.map((person) => sorted(person.split(' '))).sort())
        const refused = [...run.expected.map.refused].map((id) => sorted(id.split('\n').slice(1).map(short)))
        expect(refused).toEqual((row.refused ?? []).map((pair) => sorted(pair.split(' '))))
      }
    })
  }
})
