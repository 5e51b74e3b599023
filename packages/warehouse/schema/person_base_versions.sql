CREATE TABLE millrace_store.person_base_versions
(
    `project` UInt16,
    `version` UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY project
SETTINGS non_replicated_deduplication_window = 20000, index_granularity = 8192, old_parts_lifetime = 20
