CREATE TABLE millrace_store.rejected
(
    `project` UInt16,
    `source` LowCardinality(String),
    `protocol` LowCardinality(String),
    `received_at` DateTime64(3, 'UTC'),
    `code` LowCardinality(String),
    `detail` String,
    `message_id` String,
    `request_id` String CODEC(ZSTD(1)),
    `bytes` String CODEC(ZSTD(3)),
    `_partition` UInt16,
    `_offset` UInt64,
    `_index` UInt32
)
ENGINE = MergeTree
PARTITION BY project
ORDER BY (project, received_at)
SETTINGS non_replicated_deduplication_window = 20000, index_granularity = 8192, old_parts_lifetime = 20
