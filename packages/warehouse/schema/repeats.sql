CREATE TABLE millrace_store.repeats
(
    `project` UInt16,
    `source` LowCardinality(String),
    `hour` DateTime('UTC'),
    `n` UInt64,
    `_partition` UInt16,
    `_offset` UInt64
)
ENGINE = MergeTree
PARTITION BY project
ORDER BY (project, source, hour)
SETTINGS non_replicated_deduplication_window = 20000, index_granularity = 8192, old_parts_lifetime = 20
