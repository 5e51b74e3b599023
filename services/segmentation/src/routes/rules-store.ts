import { ProblemError, type RuleChanged, topics } from '@millrace/contracts'
import type { Clock, EventLog, HotStore } from '@millrace/ports'
import { CLOCK, type ClockDocument, type RuleDocument, ruleKey, rulePrefix, scopeOf } from '../handlers/documents.ts'
import { ruleRecord, RULES_HOME } from '../handlers/records.ts'
import { storedRules } from '../handlers/stored-rules.ts'
import type { RuleNews } from './rule-news.ts'

const PARTITIONS = Array.from({ length: topics.resolved.partitions }, (_, partition) => partition)

/** A segment over all partitions. */
export interface SegmentView {
  readonly document: RuleDocument
  readonly isLive: boolean
  readonly members: number
  /** People for whom a bound may have made the answer wrong. */
  readonly partial: number
}

export interface RulesStore {
  list(project: number): Promise<readonly SegmentView[]>
  /** @throws SEGMENT_NOT_FOUND */
  one(project: number, segment: string): Promise<SegmentView>
  /** Newest clock of all partitions: nothing received later is in an answer. */
  clock(): Promise<number>
  /** Writes the change and waits until it has been read. @throws CONFLICT when another was first */
  change(project: number, line: Omit<RuleChanged, 'type' | 'at'>): Promise<void>
}

export interface RulesStoreDeps {
  readonly log: EventLog
  readonly hot: HotStore
  readonly clock: Clock
  readonly news: RuleNews
  readonly visibleMsMax: number
}

/** What the partitions have folded is the truth; nothing else remembers a segment. */
export const createRulesStore = (deps: RulesStoreDeps): RulesStore => {
  const documentsOf = async (project: number, segments: readonly string[]): Promise<readonly (readonly (RuleDocument | undefined)[])[]> =>
    Promise.all(PARTITIONS.map(async (partition) =>
      (await deps.hot.get(scopeOf(partition), segments.map((segment) => ruleKey(project, segment)))) as (RuleDocument | undefined)[]))

  const views = async (project: number, segments: readonly string[]): Promise<readonly SegmentView[]> => {
    const byPartition = await documentsOf(project, segments)
    return segments.flatMap((_segment, index) => viewOf(byPartition.map((documents) => documents[index])))
  }
  return {
    list: async (project) => {
      // A deleted segment leaves a mark, so the bound on those in use does not bound the marks.
      const rules = await storedRules((options) => deps.hot.scan(scopeOf(RULES_HOME), options), rulePrefix(project))
      const inUse = rules.filter(({ state }) => state !== 'deleted').map(({ segment }) => segment)
      return views(project, inUse)
    },
    one: async (project, segment) => {
      const [view] = isName(segment) ? await views(project, [segment]) : []
      if (!view) throw new ProblemError('SEGMENT_NOT_FOUND')
      return view
    },
    clock: async () => {
      const clocks = await Promise.all(PARTITIONS.map((partition) => deps.hot.get(scopeOf(partition), [CLOCK])))
      return clocks.reduce((latest, [document]) => Math.max(latest, (document as ClockDocument | undefined)?.at ?? 0), 0)
    },
    change: async (project, change) => {
      const line: RuleChanged = { type: 'rule.changed', ...change, at: deps.clock.now() }
      // One record: of several a log may take some and fail, and a rule that only some partitions know is never live.
      await deps.log.append([ruleRecord(project, RULES_HOME, line)])
      const read = await untilRead(deps, project, line)
      if (read && read.version === line.version && !isSame(read, line)) throw new ProblemError('CONFLICT', 'The segment was changed at the same moment.')
    },
  }
}

const isName = (segment: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(segment)

const viewOf = (documents: readonly (RuleDocument | undefined)[]): readonly SegmentView[] => {
  const first = documents[0]
  if (!first || first.state === 'deleted') return []
  return [{
    document: first,
    isLive: documents.every((document) => document?.version === first.version && document.state === 'live'),
    members: documents.reduce((total, document) => total + (document?.members ?? 0), 0),
    partial: documents.reduce((total, document) => total + (document?.partial ?? 0), 0),
  }]
}

const isSame = (document: RuleDocument, line: RuleChanged): boolean =>
  document.name === line.name && JSON.stringify(document.rule) === JSON.stringify(line.rule) && document.changedAt === line.at

/** Another copy may hold their home, and then no news comes: look again at the end. */
const untilRead = ({ hot, clock, news, visibleMsMax }: RulesStoreDeps, project: number, line: RuleChanged): Promise<RuleDocument | undefined> =>
  new Promise((resolve, reject) => {
    const look = async (): Promise<RuleDocument | undefined> => {
      const [document] = await hot.get(scopeOf(RULES_HOME), [ruleKey(project, line.segment)])
      return document as RuleDocument | undefined
    }
    const lookOnce = async (isLast: boolean): Promise<void> => {
      const document = await look()
      if (!isLast && !(document && document.version >= line.version)) return
      cancel()
      unlisten()
      resolve(document)
    }
    const check = (isLast: boolean) => (): void => {
      void lookOnce(isLast).catch(reject)
    }
    const cancel = clock.after(visibleMsMax, check(true))
    const unlisten = news.listen(check(false))
    check(false)()
  })
