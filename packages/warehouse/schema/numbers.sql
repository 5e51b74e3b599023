CREATE TABLE millrace_store.numbers
(
    `project` UInt16,
    `number` UInt32,
    `key_type` LowCardinality(String),
    `key_value` String,
    `person_id` UUID,
    `person_number` UInt32,
    `moved` Bool,
    `linked_at` DateTime64(3, 'UTC'),
    `version` UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY project
ORDER BY (project, number)
SETTINGS non_replicated_deduplication_window = 20000, index_granularity = 8192, old_parts_lifetime = 20
