CREATE MATERIALIZED VIEW millrace_store.event_day_feed TO millrace_store.event_day
(
    `project` UInt16,
    `event` String,
    `day` Date,
    `nobody` Bool,
    `currency` LowCardinality(String),
    `numbers` AggregateFunction(groupBitmap, UInt32),
    `events` UInt64,
    `revenue` Decimal(38, 4)
)
AS SELECT
    project,
    name AS event,
    day,
    nobody,
    currency,
    groupBitmapState(number) AS numbers,
    count() AS events,
    sum(toDecimal128(ifNull(revenue, 0), 4)) AS revenue
FROM millrace_store.events
ARRAY JOIN if((type IN ('track', 'page', 'screen')) AND (event != '*'), [event, '*'], [event]) AS name
GROUP BY
    project,
    name,
    day,
    nobody,
    currency
