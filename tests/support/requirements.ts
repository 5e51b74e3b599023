/** What a test needs beyond npm packages; some machines have it, some have not. */
export type Requirement = 'kafka' | 'redis' | 'chromium' | 'datasets' | 'python' | 'small-disk'

/**
 * Says a skip aloud, with its reason; `MILLRACE_REQUIRE=kafka,redis` makes a skip for want of one of these a failure, so that
 * a machine that is meant to have it cannot pass without. @returns whether to skip
 */
export const skipped = (needs: readonly Requirement[], what: string, reason: string | null): boolean => {
  if (reason === null) return false
  const required = (process.env['MILLRACE_REQUIRE'] ?? '').split(',').map((name) => name.trim())
  const missed = needs.filter((name) => required.includes(name))
  if (missed.length > 0) throw new Error(`${what} cannot be tested, and MILLRACE_REQUIRE names ${missed.join(', ')}: ${reason}`)
  process.stdout.write(`SKIPPED ${what}: ${reason}\n`)
  return true
}
