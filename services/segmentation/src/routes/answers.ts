import { type Project, type Rule } from '@millrace/contracts'
import { ruleOf } from '../handlers/rules.ts'
import type { SegmentView } from './rules-store.ts'

export const iso = (time: number): string => new Date(time).toISOString()

/** What every answer says of itself (P7). */
export const definitionOf = (project: Project, rule: Rule | null, clock: number, sql: readonly string[] = []) => ({
  rule,
  zone: project.zone,
  currency: project.currency,
  /** The clock that the answer stands at: everything received up to it is included. */
  freshness: { newestReceivedAt: clock === 0 ? null : iso(clock) },
  sql,
})

/** A segment as the API tells it. `size` is null until its first backfill has completed. */
export const segmentAnswer = ({ document, isLive, members, partial }: SegmentView) => ({
  id: document.segment,
  name: document.name,
  version: document.version,
  state: isLive ? 'live' : 'backfilling',
  rule: document.rule,
  size: isLive || document.version > 1 ? members : null,
  /** False: for some people a bound of the state may have made the answer wrong. */
  exact: partial === 0,
  partial,
  createdAt: iso(document.createdAt),
  changedAt: iso(document.changedAt),
})

export const parsedRule = (view: SegmentView, project: Project): Rule | null => ruleOf(view.document.rule, project.currency)
