import { topics } from '@millrace/contracts'
import type { HotStore } from '@millrace/ports'
import { RULES, scopeOf } from '../handlers/documents.ts'
import { storedRules } from '../handlers/stored-rules.ts'

/** True while a rule waits for the past of its people: the log will still grow without any new event. */
export const isBackfilling = async (hot: Pick<HotStore, 'scan'>): Promise<boolean> => {
  for (let partition = 0; partition < topics.resolved.partitions; partition++) {
    const rules = await storedRules((options) => hot.scan(scopeOf(partition), options), RULES)
    if (rules.some(({ state }) => state === 'backfilling')) return true
  }
  return false
}
