import type { IdentityFact } from '@millrace/contracts'
import { encodeRecord, partitionOfProject, topics } from '@millrace/contracts'
import { pairId } from '@millrace/identity'
import type { NewRecord } from '@millrace/ports'

/** The facts of one batch, one a record: the position of each is the epoch of what it decides. */
export class FactOutputs {
  /** By identity of the fact; of a pair's links only the last word counts (R2), at the last one's place. */
  private readonly facts = new Map<string, { readonly project: number; readonly fact: IdentityFact }>()
  private readonly partitions: number

  constructor(partitions: number) {
    this.partitions = partitions
  }

  add(project: number, facts: readonly IdentityFact[]): void {
    for (const fact of facts) {
      const id = factKey(project, fact)
      this.facts.delete(id)
      this.facts.set(id, { project, fact })
    }
  }

  records(): readonly NewRecord[] {
    return [...this.facts].map(([key, { project, fact }]) => ({
      topic: topics.facts.name,
      partition: partitionOfProject(project, this.partitions),
      key,
      value: encodeRecord({ kind: 'facts', project, count: 0, origins: [] }, [JSON.stringify(fact)]),
    }))
  }
}

/**
 * Of two facts with the same key the later says all that the earlier said, so the log may forget the earlier. JSON, since
 * ids of people hold any character: joined by a slash, two facts could have one key.
 */
export const factKey = (project: number, fact: IdentityFact): string => JSON.stringify([project, fact.type, ...identityOf(fact)])

const identityOf = (fact: IdentityFact): readonly unknown[] => {
  switch (fact.type) {
    case 'key.numbered':
    case 'user.seen':
      return [fact.key]
    case 'pair.linked':
      return [pairId(fact.a, fact.b)]
    case 'keys.merged':
    case 'keys.unmerged':
      return [pairId(fact.a, fact.b), fact.order.time, fact.order.messageId]
    case 'keys.aliased':
      return [pairId(fact.x, fact.y), fact.order.time, fact.order.messageId]
  }
}
