import type { Key } from '@millrace/contracts'
import { partitionOfProject, topics } from '@millrace/contracts'
import type { BaseDocument, KeyState, PersonKeys } from '@millrace/identity'
import { baseDocumentId, baseOf, personDocumentId } from '@millrace/identity'
import type { HotStore } from '@millrace/ports'
import { identityScope } from './decide-batch.ts'

const scopeOf = (project: number): string => identityScope(partitionOfProject(project, topics.facts.partitions))

/** The keys of a person as identity has decided them; none when nobody has that id. */
export const keysOfPerson = async (hot: HotStore, project: number, person: string): Promise<readonly Key[]> => {
  const document = (await hot.get(scopeOf(project), [personDocumentId(project, person)]))[0] as PersonKeys | undefined
  return document?.keys ?? []
}

/** What identity has decided of a key of any type, also of one that no event is filed under; null when unknown. */
export const lookupIdentity = async (hot: HotStore, project: number, key: Key): Promise<KeyState | null> => {
  const document = (await hot.get(scopeOf(project), [baseDocumentId(project, baseOf(key))]))[0] as BaseDocument | undefined
  return document?.keys[key] ?? null
}
