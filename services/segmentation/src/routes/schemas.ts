import { z } from 'zod'

const MEMBERS_PER_PAGE_MAX = 1_000

export const segmentBody = z.strictObject({
  name: z.string().trim().min(1).max(80),
  /** Checked by `parseRule`, whose faults name their path. */
  rule: z.unknown(),
})
export const previewBody = z.strictObject({ rule: z.unknown(), sample: z.int().min(0).max(100).default(10) })

const limit = z.coerce.number().int().min(1).max(MEMBERS_PER_PAGE_MAX).default(100)
export const membersQuery = z.strictObject({ limit, after: z.uuid().optional() })
export const flipsQuery = z.strictObject({ limit, after: z.string().max(200).optional(), personId: z.uuid().optional() })
