import type { OwnScope } from '@millrace/service-kit'
import { describe, expect, it } from 'vitest'
import { newPerson, type PersonState } from '../src/handlers/documents.ts'
import { createPeople } from '../src/handlers/people.ts'

const person = (segments: number): PersonState => ({
  ...newPerson(1),
  memberships: Object.fromEntries(Array.from({ length: segments }, (_, at) => [`s${at}`, { number: 1, in: true, at: 0 }])),
})

/** A store that counts how many documents it was asked for. */
const countingStore = () => {
  const counted = { asked: 0 }
  const get: OwnScope['get'] = async (keys) => {
    counted.asked += keys.length
    return keys.map(() => undefined)
  }
  return { scope: { get } as unknown as OwnScope, counted }
}

describe('people in memory', () => {
  it('are bounded by what they take, which grows with the segments', async () => {
    const { scope, counted } = countingStore()
    const people = createPeople(scope, { peopleMax: 1_000, bytesMax: 200_000 }, (one) => one)
    const ids = Array.from({ length: 20 }, (_, at) => `p${at}`)
    for (const [segments, kept] of [[1, 20], [100, 12]] as const) {
      await people.load(ids)
      for (const id of ids) people.put(id, person(segments))
      expect(people.flush().puts).toHaveLength(20)
      counted.asked = 0
      await people.load(ids)
      expect(20 - counted.asked).toBe(kept)
    }
  })
})
