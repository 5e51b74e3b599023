import { describe, expect, it } from 'vitest'
import { activeSlots, applyToSlot, isHeld, onExpected, onLeft, onMoved } from './person-side.ts'
import type { Addable, PersonDocument } from './person-side.ts'

const sum: Addable<number> = { empty: () => 0, add: (a, b) => a + b, isEmpty: (state) => state === 0 }
const nothing: PersonDocument<number> = { slots: {} }
const plus = (by: number) => (state: number) => state + by

describe('the person side', () => {
  it('passes the state of a number that leaves on, and keeps nothing of it', () => {
    const document = applyToSlot(nothing, { number: 7, epoch: 0 }, plus(3), sum)
    const left = onLeft(document, { number: 7, epoch: 0, nextEpoch: 5, to: 'q' }, sum)
    expect(left.emit).toEqual([{ number: 7, epoch: 5, person: 'q', state: 3 }])
    expect(left.document.slots).toEqual({})
  })

  it('holds the flips of a person from expected until moved', () => {
    const expected = onExpected(nothing, { number: 7, epoch: 5 }, sum)
    expect(expected.held).toBe(true)
    const document = applyToSlot(expected.document, { number: 7, epoch: 5 }, plus(1), sum)
    expect(isHeld(document)).toBe(true)
    const moved = onMoved(document, { number: 7, epoch: 5, state: 3 }, sum)
    expect(moved.held).toBe(false)
    expect(activeSlots(moved.document)).toEqual([{ number: 7, epoch: 5, state: 4 }])
  })

  it('passes a past on that comes after its number has left again, with what was added here', () => {
    const { document: waiting } = onExpected(nothing, { number: 7, epoch: 5 }, sum)
    const grown = applyToSlot(waiting, { number: 7, epoch: 5 }, plus(1), sum)
    const left = onLeft(grown, { number: 7, epoch: 5, nextEpoch: 9, to: 'r' }, sum)
    expect(left).toMatchObject({ emit: [], held: false })
    expect(activeSlots(left.document)).toEqual([])
    const moved = onMoved(left.document, { number: 7, epoch: 5, state: 3 }, sum)
    expect(moved.emit).toEqual([{ number: 7, epoch: 9, person: 'r', state: 4 }])
    expect(moved.document.slots).toEqual({})
  })

  it('keeps two stays of one number apart', () => {
    const first = applyToSlot(nothing, { number: 7, epoch: 0 }, plus(1), sum)
    const back = applyToSlot(onExpected(first, { number: 7, epoch: 9 }, sum).document, { number: 7, epoch: 9 }, plus(5), sum)
    const left = onLeft(back, { number: 7, epoch: 0, nextEpoch: 5, to: 'q' }, sum)
    expect(left.emit[0]?.state).toBe(1)
    expect(Object.keys(left.document.slots)).toEqual(['7@9'])
  })

  it('tells the receiver even when there is nothing to carry', () => {
    expect(onLeft(nothing, { number: 7, epoch: 0, nextEpoch: 5, to: 'q' }, sum).emit[0]?.state).toBeNull()
    const { document } = onExpected(nothing, { number: 7, epoch: 5 }, sum)
    expect(onMoved(document, { number: 7, epoch: 5, state: null }, sum)).toMatchObject({ held: false, emit: [] })
  })

  it('carries other fields of the document along', () => {
    const document = { ...nothing, memberships: { a: 1 } }
    const grown = applyToSlot(document, { number: 1, epoch: 0 }, plus(1), sum)
    expect(onExpected(grown, { number: 2, epoch: 3 }, sum).document.memberships).toEqual({ a: 1 })
  })
})
