import { z } from 'zod'

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

/** Settings of ingest: names as in the environment, units in the names. */
export const ingestConfig = z.object({
  BODY_BYTES_MAX: whole(1024, 100 << 20).default(5 << 20).describe('bytes of a request body as it comes'),
  INFLATED_BYTES_MAX: whole(1024, 200 << 20).default(20 << 20).describe('bytes of a packed body (gzip, deflate) unpacked; at most 200 times its packed size, or 1 MiB'),
  EVENT_BYTES_MAX: whole(256, 512 << 10).default(64 << 10).describe('bytes of one event'),
  BATCH_EVENTS_MAX: whole(1, 100_000).default(20_000).describe('events of one batch'),
  REJECTED_BYTES_MAX: whole(256, 512 << 10).default(256 << 10).describe('bytes kept of one refused event or body'),
  APPENDS_OPEN_MAX: whole(1, 64).default(2).describe('appends under way at the same time; what comes meanwhile shares the next one'),
  APPEND_EVERY_MS: whole(0, 100).default(5).describe('an append begins so long after the one before; a lone request never waits for it'),
  QUEUED_BYTES_MAX: whole(1 << 20, 1 << 30).default(64 << 20).describe('bytes of events that wait for the log; above, 503'),
  OPEN_REQUESTS_MAX: whole(1, 100_000).default(4096).describe('requests at the same time; above, 503, or 429 to servers'),
  OPEN_BYTES_MAX: whole(1 << 20, 4 << 30).default(256 << 20).describe('bytes of bodies at the same time; above, 503, or 429 to servers'),
  SPOOL_DIR: z.string().min(1).optional().describe('folder of this copy alone in which events are kept while Kafka is away; without it they are refused then, 503'),
  SPOOL_BYTES_MAX: whole(1 << 20, 2 ** 44).default(1 << 30).describe('bytes that may wait in it; above, 503'),
  STOP_MS_MAX: whole(0, 60_000).default(5_000).describe('wait at the stop for requests that are open'),
  PEER_ADDRESS: z.enum(['full', 'short', 'none']).default('full').describe('how much of the address of a browser or phone is kept: `full`, `short` (without the last number of IPv4, the last five groups of IPv6) or `none`'),
  SENDERS_MAX: whole(100, 1_000_000).default(20_000).describe('senders whose clocks are remembered; some 250 bytes each'),
  PUBLIC_URL: z.url().optional().describe('address under which browsers reach ingest, where a proxy stands before it'),
})
export type IngestConfig = z.infer<typeof ingestConfig>
