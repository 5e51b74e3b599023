CREATE TABLE millrace_store.refused_links
(
    `project` UInt16,
    `a` String,
    `b` String,
    `reason` LowCardinality(String),
    `restored` Bool,
    `version` UInt64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY project
ORDER BY (project, a, b)
SETTINGS non_replicated_deduplication_window = 20000, index_granularity = 8192, old_parts_lifetime = 20
