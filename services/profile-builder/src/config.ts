import { z } from 'zod'

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

const CONSUMERS = ['resolve', 'identity', 'fold'] as const
const consumers = z.string().transform((text) => text.split(',').map((name) => name.trim()))
  .pipe(z.array(z.enum(CONSUMERS, { error: `must be some of ${CONSUMERS.join(',')}` })).min(1))

/** Settings of profile-builder: names as in the environment, units in the names. */
export const profileBuilderConfig = z.object({
  PROFILE_CONSUMERS: consumers.default([...CONSUMERS]).describe('consumers that this process runs; each may have copies of its own'),
  FOLD_BATCH_RECORDS_MAX: whole(1, 100_000).default(2_000).describe('records of events.resolved that are folded as one batch'),
  FOLD_BATCH_BYTES_MAX: whole(1024, 256 << 20).default(512 << 10).describe('bytes of such a batch'),
  FOLD_LINGER_MS: whole(0, 1_000).default(50).describe('wait for more records before a batch is folded'),
  FOLD_CACHE_BYTES_MAX: whole(1 << 20, 64 * 2 ** 30).default(64 << 20).describe('memory for documents of persons, for each partition, about'),
  SNAPSHOT_INTERVAL_MS: whole(10, 60_000).default(300).describe('a changed profile is written to the column store after this time'),
  SNAPSHOT_ROWS_MAX: whole(1, 100_000).default(2_000).describe('profiles of one insert'),
  SNAPSHOT_WAITING_MAX: whole(1, 10_000_000).default(50_000).describe('profiles of one partition that may wait for the column store; above, fold waits'),
})
export type ProfileBuilderConfig = z.infer<typeof profileBuilderConfig>
