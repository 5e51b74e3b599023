import type { Key } from '@millrace/contracts'
import { homeOf, shardOf, topics } from '@millrace/contracts'
import type { KeyDocument } from '@millrace/identity'
import { keyDocumentId, personOf } from '@millrace/identity'
import type { HotStore } from '@millrace/ports'
import { resolveScope } from './resolve-partition.ts'

export interface ResolvedKey {
  readonly person: string
  /** null: known from a link, but no event was filed under it. */
  readonly number: number | null
  readonly epoch: number
}

/** Under which person the home of a key files it now; null when the home has not heard of it. */
export const lookupKey = async (
  hot: HotStore,
  project: number,
  key: Key,
  partitions: number = topics.accepted.partitions,
): Promise<ResolvedKey | null> => {
  const scope = resolveScope(homeOf(shardOf(project, key), partitions))
  const document = (await hot.get(scope, [keyDocumentId(project, key)]))[0] as KeyDocument | undefined
  if (!document) return null
  return { person: personOf(project, key, document), number: document.number, epoch: document.epoch }
}
