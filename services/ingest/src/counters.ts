import type { ProblemError } from '@millrace/contracts'
import type { SpooledLog, SpoolFigures } from '@millrace/ports'
import { Counter, Gauge, Histogram, type MetricsRegistry } from '@millrace/service-kit'

/** What ingest tells Prometheus. */
export interface IngestCounters {
  /** Looked up once a protocol: it is counted with every request. */
  readonly accepted: (protocol: string) => Pick<Counter.Internal, 'inc'>
  readonly rejected: Counter<'protocol' | 'code'>
  /** Requests that no project could be found for: they are in no ledger. */
  readonly unauthorised: Counter<'code'>
  /** Requests told to come again later, or of pages that may not send. */
  readonly turnedAway: Counter<'code'>
  readonly appendedBytes: Counter
  readonly appendSeconds: Histogram
  readonly queuedBytes: Gauge
}

/** What waits on this machine while Kafka is away. */
export const createSpoolGauges = (registry: MetricsRegistry, spool: Pick<SpooledLog, 'figures'>, now: () => number): void => {
  const gauge = (name: string, help: string, value: (figures: SpoolFigures) => number): Gauge =>
    new Gauge({ name, help, registers: [registry], collect() { this.set(value(spool.figures())) } })
  gauge('millrace_ingest_spooled_bytes', 'Bytes in the spool: events acknowledged that the log does not have yet', ({ bytes }) => bytes)
  gauge('millrace_ingest_spooled_bytes_max', 'Bytes that the spool may hold; above, senders are turned away', ({ bytesMax }) => bytesMax)
  gauge('millrace_ingest_spooled_records', 'Records in the spool', ({ records }) => records)
  gauge('millrace_ingest_spooled_oldest_seconds', 'How long the oldest record of the spool has waited; 0 when it is empty', ({ oldestAt }) => (oldestAt === null ? 0 : Math.max(0, now() - oldestAt) / 1000))
}

export const createCounters = (registry: MetricsRegistry, queuedBytes: () => number): IngestCounters => {
  const registers = [registry]
  return {
    queuedBytes: new Gauge({
      name: 'millrace_ingest_queued_bytes', help: 'Bytes of events that wait for the log', registers,
      collect() { this.set(queuedBytes()) },
    }),
    accepted: byProtocol(new Counter({ name: 'millrace_ingest_events_accepted_total', help: 'Events that the log has', labelNames: ['protocol'], registers })),
    rejected: new Counter({ name: 'millrace_ingest_events_rejected_total', help: 'Events refused and kept', labelNames: ['protocol', 'code'], registers }),
    unauthorised: new Counter({ name: 'millrace_ingest_requests_unauthorised_total', help: 'Requests without a known key', labelNames: ['code'], registers }),
    turnedAway: new Counter({ name: 'millrace_ingest_requests_turned_away_total', help: 'Requests not taken: told to try again, or of a page that may not send', labelNames: ['code'], registers }),
    appendedBytes: new Counter({ name: 'millrace_ingest_appended_bytes_total', help: 'Bytes of events before compression', registers }),
    appendSeconds: new Histogram({
      name: 'millrace_ingest_append_seconds', help: 'Time of one append to the log', registers,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    }),
  }
}

const byProtocol = (counter: Counter<'protocol'>): IngestCounters['accepted'] => {
  const known = new Map<string, Pick<Counter.Internal, 'inc'>>()
  return (protocol) => {
    const found = known.get(protocol) ?? counter.labels(protocol)
    known.set(protocol, found)
    return found
  }
}

/** Whether nothing of a request was taken, though it was sent with a known key. */
export const isTurnedAway = ({ status, code }: ProblemError): boolean => status === 429 || status === 503 || code === 'ORIGIN_NOT_ALLOWED'
