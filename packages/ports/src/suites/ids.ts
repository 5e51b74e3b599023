import { describe, expect, it } from 'vitest'
import type { Ids } from '../clock.ts'

/** What every source of ids promises. */
export const idsSuite = (name: string, make: () => Ids): void => {
  describe(`ids: ${name}`, () => {
    it('makes UUIDs of version 4 that never repeat', () => {
      const ids = make()
      const uuids = Array.from({ length: 1_000 }, () => ids.uuid())
      expect(new Set(uuids).size).toBe(1_000)
      for (const uuid of uuids) expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    })

    it('makes secrets of the length asked', () => {
      const ids = make()
      for (const bytes of [1, 16, 32, 48]) expect(ids.secret(bytes)).toMatch(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
      expect(ids.secret(16)).not.toBe(ids.secret(16))
    })
  })
}
