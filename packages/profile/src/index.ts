import { addStates } from './add.ts'
import { emptyState, type ProfileState } from './state.ts'

export { QUARTER_MS, SESSION_GAP_MS } from './activity.ts'
export { addStates, includeEvent } from './add.ts'
export * from './document.ts'
export { ORDER_EVENTS } from './orders.ts'
export { bounds, copyState, emptyState, type Part, type ProfileState } from './state.ts'

/** Profile states as the person's side of the identity protocol carries them. */
export const profileAlgebra = {
  empty: emptyState,
  add: addStates,
  isEmpty: (state: ProfileState): boolean => state.events === 0 && state.partial.length === 0,
}
