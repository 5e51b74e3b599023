/** The state of a scope was not written: what is stored includes this batch or more. The consumer starts anew. */
export class StateRefused extends Error {
  override readonly name = 'StateRefused'
}

/** The state is lost, or older than the oldest record that the log has: folding on would leave a hole. */
export class StateUnfoldable extends Error {
  override readonly name = 'StateUnfoldable'
}
