SELECT
  project,
  source,
  hour,
  sum(counted_received) AS received,
  sum(counted_stored) AS stored,
  sum(counted_rejected) AS rejected,
  sum(counted_duplicate) AS duplicate,
  toUInt64(0) AS erased,
  sum(counted_pending) AS pending
FROM (
  SELECT project, toString(source) AS source, hour, received AS counted_received, toUInt64(0) AS counted_stored,
    toUInt64(0) AS counted_rejected, toUInt64(0) AS counted_duplicate, pending AS counted_pending
  FROM millrace_store.ledger_counts FINAL
  WHERE {scope}
  UNION ALL
  SELECT project, toString(source), toStartOfHour(received_at) AS hour, 0, count(), 0, 0, 0
  FROM millrace_store.events
  WHERE {scope}
  GROUP BY project, source, hour
  UNION ALL
  SELECT project, toString(source), toStartOfHour(received_at) AS hour, 0, 0, count(), 0, 0
  FROM millrace_store.rejected
  WHERE {scope}
  GROUP BY project, source, hour
  UNION ALL
  SELECT project, toString(source), hour, 0, 0, 0, sum(n), 0
  FROM millrace_store.repeats
  WHERE {scope}
  GROUP BY project, source, hour
)
GROUP BY project, source, hour
