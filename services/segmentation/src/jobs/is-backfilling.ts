import { topics } from '@millrace/contracts'
import type { HotStore } from '@millrace/ports'
import { type RuleDocument, scopeOf } from '../handlers/documents.ts'

const RULES_MAX = 100_000

/** True while a rule waits for the past of its people: the log will still grow without any new event. */
export const isBackfilling = async (hot: Pick<HotStore, 'scan'>): Promise<boolean> => {
  for (let partition = 0; partition < topics.resolved.partitions; partition++) {
    const entries = await hot.scan(scopeOf(partition), { prefix: 'rule:', limit: RULES_MAX })
    if (entries.some(({ document }) => (document as RuleDocument).state === 'backfilling')) return true
  }
  return false
}
