import type { Clock } from '@millrace/ports'
import type { Logger } from './logger.ts'
import { Counter, type MetricsRegistry } from './metrics.ts'
import { within } from './within.ts'

export interface ScrapeDeps {
  readonly registry: MetricsRegistry
  readonly clock: Clock
  readonly logger: Logger
}

/** Figures that are not counted as they happen, but asked of a port or a store when somebody looks. */
export interface Asked {
  readonly name: string
  /** Asked again at most once in this time, however often metrics are read. */
  readonly everyMs: number
  /** Asks, and sets the gauges. */
  ask(): Promise<void>
  /** Takes the figures away: an old figure would look healthy. */
  forget(): void
}

const WAIT_MS_MAX = 1_000
/** An answer that takes so long may never come: a log whose broker stands still is asked again and again behind the port. */
const ANSWER_MS_MAX = 30_000

/**
 * Lets figures be asked before metrics are told. One question is under way at a time, and nobody who reads metrics
 * waits longer than a second for it: a late answer is told the next time. One that failed, or has not come in half a
 * minute, is counted and told in the log, and its old figures are gone.
 */
export const onScrape = ({ registry, clock, logger }: ScrapeDeps, { name, everyMs, ask, forget }: Asked): void => {
  const failures = registry.shared('millrace_scrape_failures_total', (of) =>
    new Counter({ name: of, help: 'Questions for figures that failed or had no answer in 30 s; the figures are missing meanwhile', labelNames: ['part'], registers: [registry] }))
  failures.inc({ part: name }, 0)
  let running: Promise<void> | undefined
  let askedAt = -Infinity
  const missing = (error: unknown): void => {
    forget()
    failures.inc({ part: name })
    logger.warn({ event: 'scrape.failed', part: name, err: error }, 'asked again later')
  }
  const run = async (): Promise<void> => {
    try {
      await ask()
    } catch (error) {
      missing(error)
    } finally {
      running = undefined
    }
  }
  registry.before(async () => {
    const since = clock.now() - askedAt
    // A clock that was set back must not keep old figures for as long.
    if (!running && since >= 0 && since < everyMs) return
    if (running && since >= ANSWER_MS_MAX) missing(new Error(`no answer in ${since} ms`))
    if (!running) {
      askedAt = clock.now()
      running = run()
      registry.goesOn(running)
    }
    await within(clock, WAIT_MS_MAX, running, undefined)
  })
}
