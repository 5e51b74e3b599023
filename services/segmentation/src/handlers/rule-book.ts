import type { OwnScope } from '@millrace/service-kit'
import { type RuleDocument, ruleKey, RULES } from './documents.ts'
import { compileRules, type ProjectRules } from './rules.ts'
import { storedRules } from './stored-rules.ts'

/** The rules of all projects as one partition knows them, and which of them the batch at hand has changed. */
export interface RuleBook {
  get(project: number, segment: string): RuleDocument | undefined
  /** Compiled, until one of them changes. */
  of(project: { readonly id: number; readonly currency: string }): ProjectRules
  set(document: RuleDocument): void
  /** Moves the counts of a segment. */
  count(project: number, segment: string, by: Partial<Record<'members' | 'partial', number>>): void
  /** What was changed since the last call; `rulesChanged` when that was more than counts. */
  takeChanges(): { readonly puts: readonly (readonly [key: string, document: unknown])[]; readonly rulesChanged: boolean }
}

/** Reads the rules that the partition has stored. */
export const openRuleBook = async (scope: OwnScope): Promise<RuleBook> => {
  const rules = new Map<number, Map<string, RuleDocument>>()
  const compiled = new Map<number, ProjectRules>()
  const changed = new Map<string, RuleDocument>()
  let rulesChanged = false

  const keep = (document: RuleDocument): void => {
    const ofProject = rules.get(document.project) ?? new Map<string, RuleDocument>()
    rules.set(document.project, ofProject.set(document.segment, document))
  }
  for (const document of await storedRules(scope.scan, RULES)) keep(document)

  const get: RuleBook['get'] = (project, segment) => rules.get(project)?.get(segment)
  const set = (document: RuleDocument): void => {
    const before = get(document.project, document.segment)
    keep(document)
    changed.set(ruleKey(document.project, document.segment), document)
    if (before?.version === document.version && before.state === document.state) return
    compiled.delete(document.project)
    rulesChanged = true
  }
  return {
    get,
    set,
    of: ({ id, currency }) => {
      const known = compiled.get(id) ?? compileRules([...(rules.get(id)?.values() ?? [])], currency)
      compiled.set(id, known)
      return known
    },
    count: (project, segment, { members = 0, partial = 0 }) => {
      const document = get(project, segment)
      if (document) set({ ...document, members: document.members + members, partial: document.partial + partial })
    },
    takeChanges: () => {
      const changes = { puts: [...changed], rulesChanged }
      changed.clear()
      rulesChanged = false
      return changes
    },
  }
}
