import { afterAll, beforeAll, describe } from 'vitest'
import type { ColumnStore } from '../column-store.ts'
import { asking } from './column-store-asking.ts'
import { inserting } from './column-store-inserting.ts'
import { streaming } from './column-store-streaming.ts'

export interface ColumnStoreFixture {
  readonly store: ColumnStore
  /** Closes the store and removes its data. */
  dispose(): Promise<void>
}

/** What every column store promises. One store serves all tests, since starting one takes long. */
export const columnStoreSuite = (name: string, make: () => Promise<ColumnStoreFixture>): void => {
  describe(`column store: ${name}`, () => {
    let fixture: ColumnStoreFixture
    const store = (): ColumnStore => fixture.store
    beforeAll(async () => {
      fixture = await make()
      await store().command('CREATE DATABASE IF NOT EXISTS suite')
    })
    afterAll(async () => {
      if (!fixture) return
      await store().command('DROP DATABASE suite')
      await fixture.dispose()
    })
    describe('insert', () => void inserting(store))
    describe('question', () => void asking(store))
    describe('stream', () => void streaming(store))
  })
}
