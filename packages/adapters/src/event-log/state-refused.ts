/** The state of a scope was not written: what is stored includes this batch or more. The consumer starts anew. */
export class StateRefused extends Error {
  override readonly name = 'StateRefused'
}
