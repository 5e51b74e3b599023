CREATE TABLE millrace_store.events
(
    `project` UInt16,
    `event` LowCardinality(String),
    `type` LowCardinality(String),
    `timestamp` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `received_at` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `sent_at` Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
    `day` Date CODEC(Delta(2), ZSTD(1)),
    `number` UInt32,
    `nobody` Bool,
    `filed_person` UUID CODEC(ZSTD(1)),
    `message_id` String CODEC(ZSTD(1)),
    `user_id` String CODEC(ZSTD(1)),
    `anonymous_id` String CODEC(ZSTD(1)),
    `session_id` String CODEC(ZSTD(1)),
    `source` LowCardinality(String),
    `protocol` LowCardinality(String),
    `channel` LowCardinality(String),
    `request_id` String CODEC(ZSTD(1)),
    `revenue` Nullable(Decimal(18, 4)) CODEC(ZSTD(1)),
    `currency` LowCardinality(String),
    `strs` Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    `nums` Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    `bools` Map(LowCardinality(String), Bool) CODEC(ZSTD(1)),
    `extra` String CODEC(ZSTD(3)),
    `context` String CODEC(ZSTD(3)),
    `_partition` UInt16,
    `_offset` UInt64 CODEC(Delta(8), ZSTD(1)),
    `_index` UInt32,
    INDEX received received_at TYPE minmax GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY (project, toYear(day))
ORDER BY (project, event, day, number, timestamp)
SETTINGS non_replicated_deduplication_window = 20000, lightweight_mutation_projection_mode = 'rebuild', index_granularity = 8192, old_parts_lifetime = 20
