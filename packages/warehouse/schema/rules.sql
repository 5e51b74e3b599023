CREATE TABLE millrace_store.rules
(
    `project` UInt16,
    `segment` String,
    `version` UInt32,
    `name` String,
    `rule` String,
    `deleted` Bool,
    `at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
PARTITION BY project
ORDER BY (project, segment, version, at)
SETTINGS non_replicated_deduplication_window = 20000, index_granularity = 8192, old_parts_lifetime = 20
