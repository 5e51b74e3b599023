/** Tells answers that wait for a new rule that partition 0 of this copy has read one. */
export interface RuleNews {
  tell(): void
  /** Calls back at each telling, until the answer is called. */
  listen(onNews: () => void): () => void
}

export const createRuleNews = (): RuleNews => {
  const listeners = new Set<() => void>()
  return {
    tell: () => {
      for (const listener of listeners) listener()
    },
    listen: (onNews) => {
      listeners.add(onNews)
      return () => void listeners.delete(onNews)
    },
  }
}
