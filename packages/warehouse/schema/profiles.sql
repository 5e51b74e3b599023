CREATE TABLE millrace_store.profiles
(
    `project` UInt16,
    `person` UUID,
    `version` UInt64,
    `gone` Bool,
    `user_id` String,
    `anonymous_ids` Array(String),
    `identities` String,
    `traits` String,
    `first_seen` Nullable(DateTime64(3, 'UTC')),
    `last_seen` Nullable(DateTime64(3, 'UTC')),
    `consent` String,
    `document` String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY project
ORDER BY (project, person)
SETTINGS non_replicated_deduplication_window = 20000, index_granularity = 8192, old_parts_lifetime = 20
