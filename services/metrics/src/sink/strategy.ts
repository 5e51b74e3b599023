import type { Assignment } from '@millrace/ports'

/**
 * How a batch is kept from being stored twice. Only `DECLARED` is right; tests take one half of it away to show that
 * their chaos would notice.
 */
export interface SinkStrategy {
  readonly declare: (assignment: Assignment, until: number) => Promise<void>
  /** End of the declared batch in the metadata of a position, or undefined. */
  readonly read: (metadata: string) => number | undefined
  readonly token: (token: string) => string
}

export const DECLARED: SinkStrategy = {
  declare: (assignment, until) => assignment.declare(JSON.stringify({ until })),
  read: (metadata) => (metadata === '' ? undefined : (JSON.parse(metadata) as { until: number }).until),
  token: (token) => token,
}
