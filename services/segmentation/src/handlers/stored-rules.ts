import type { Entry } from '@millrace/ports'
import type { RuleDocument } from './documents.ts'

const PAGE = 1_000

/** All rules that a partition has stored under a prefix, the marks of deleted ones too: they are never cut short. */
export const storedRules = async (
  scan: (options: { prefix: string; after?: string; limit: number }) => Promise<readonly Entry[]>, prefix: string,
): Promise<readonly RuleDocument[]> => {
  const documents: RuleDocument[] = []
  for (let after: string | undefined; ; ) {
    const page = await scan({ prefix, limit: PAGE, ...(after === undefined ? {} : { after }) })
    documents.push(...page.map(({ document }) => document as RuleDocument))
    if (page.length < PAGE) return documents
    after = page.at(-1)!.key
  }
}
