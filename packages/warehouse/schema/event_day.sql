CREATE TABLE millrace_store.event_day
(
    `project` UInt16,
    `event` LowCardinality(String),
    `day` Date,
    `nobody` Bool,
    `currency` LowCardinality(String),
    `numbers` AggregateFunction(groupBitmap, UInt32),
    `events` SimpleAggregateFunction(sum, UInt64),
    `revenue` SimpleAggregateFunction(sum, Decimal(38, 4))
)
ENGINE = AggregatingMergeTree
PARTITION BY (project, toYear(day))
ORDER BY (project, event, day, nobody, currency)
SETTINGS non_replicated_deduplication_window = 20000, index_granularity = 8192, old_parts_lifetime = 20
