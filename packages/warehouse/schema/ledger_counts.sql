CREATE TABLE millrace_store.ledger_counts
(
    `project` UInt16,
    `source` LowCardinality(String),
    `hour` DateTime('UTC'),
    `received` UInt64,
    `pending` UInt64,
    `version` UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY project
ORDER BY (project, source, hour)
SETTINGS non_replicated_deduplication_window = 20000, index_granularity = 8192, old_parts_lifetime = 20
