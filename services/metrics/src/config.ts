import { z } from 'zod'

const whole = (fallback: number, min: number, max: number) => z.coerce.number().int().min(min).max(max).default(fallback)

/** Settings of metrics; each name carries its unit. */
export const metricsConfig = z.object({
  /** A batch waits this long for more records: freshness against the cost of inserts. */
  SINK_LINGER_MS: whole(300, 0, 10_000),
  SINK_BATCH_RECORDS_MAX: whole(10_000, 1, 100_000),
  /** As in the log, compressed; about 3,000 events of usual size. */
  SINK_BATCH_BYTES_MAX: whole(500_000, 1000, 64_000_000),
  /** A question that takes longer is answered with QUERY_TIMEOUT. */
  QUERY_MS_MAX: whole(20_000, 1000, 600_000),
  QUERY_MEMORY_BYTES_MAX: whole(700_000_000, 10_000_000, 64_000_000_000),
  QUERY_ROWS_MAX: whole(100_000, 100, 10_000_000),
  LIVE_CLIENTS_MAX: whole(50, 1, 10_000),
  /** A page gets at most one message in this time. */
  LIVE_EVERY_MS: whole(500, 100, 60_000),
})
export type MetricsConfig = z.infer<typeof metricsConfig>

/** Of the process of its own: where it serves analysts. */
export const analystsDoorConfig = z.object({
  ANALYSTS_PORT: whole(8123, 0, 65_535).describe("port of ClickHouse's HTTP protocol for analysts"),
})
