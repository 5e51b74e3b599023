CREATE TABLE millrace_store.flips
(
    `project` UInt16,
    `segment` String,
    `version` UInt32,
    `person` UUID,
    `flip` LowCardinality(String),
    `at` DateTime64(3, 'UTC'),
    `number` UInt32,
    `cause` LowCardinality(String),
    `_partition` UInt16,
    `_offset` UInt64,
    `_index` UInt32
)
ENGINE = MergeTree
PARTITION BY project
ORDER BY (project, segment, person, number)
SETTINGS non_replicated_deduplication_window = 20000, index_granularity = 8192, old_parts_lifetime = 20
