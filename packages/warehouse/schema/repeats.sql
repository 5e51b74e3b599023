CREATE TABLE millrace_store.repeats
(
    `project` UInt16,
    `source` LowCardinality(String),
    `hour` DateTime('UTC'),
    `n` UInt64
)
ENGINE = SummingMergeTree(n)
PARTITION BY project
ORDER BY (project, source, hour)
SETTINGS non_replicated_deduplication_window = 20000, index_granularity = 8192
