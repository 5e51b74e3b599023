import { z } from 'zod'

const whole = (min: number, max: number, standard: number) => z.coerce.number().int().min(min).max(max).default(standard)

/** Environment of the service: names carry their units; the README's table is made of this. */
export const segmentationConfig = z.object({
  /** Records of events.resolved folded in one step. */
  SEGMENTATION_BATCH_RECORDS_MAX: whole(1, 10_000, 200),
  /** Bytes of records read for one step. */
  SEGMENTATION_BATCH_BYTES_MAX: whole(1024, 64 << 20, 512 << 10),
  /** Wait for more records before a step: delay of a flip against the cost of steps. */
  SEGMENTATION_LINGER_MS: whole(0, 1_000, 10),
  /** Documents of people kept in memory for each partition. */
  SEGMENTATION_PEOPLE_CACHED_MAX: whole(0, 1_000_000, 20_000),
  /** What those may take in memory, about, for each partition: a person's document grows with the number of segments. */
  SEGMENTATION_PEOPLE_BYTES_MAX: whole(0, 4 << 28, 64 << 20),
  /** Segments of one project. */
  SEGMENTATION_SEGMENTS_MAX: whole(1, 5_000, 500),
  /** How many numbers one statement of a backfill covers. */
  BACKFILL_NUMBERS_PER_PAGE: whole(64, 1 << 20, 1 << 16),
  /** Pause between two looks at what a backfill waits for, and before a failed step is tried again. */
  BACKFILL_POLL_MS: whole(10, 60_000, 200),
  /** How long an answer waits until a new rule has been read from the log. */
  RULE_VISIBLE_MS_MAX: whole(0, 30_000, 3_000),
})
export type SegmentationConfig = z.infer<typeof segmentationConfig>
