-- Ground: every table of the warehouse. A statement ends with a semicolon at the end of its line; what stands in
-- {braces} is written out by src/macros.ts.

CREATE TABLE IF NOT EXISTS millrace_store.events (
  project UInt16,
  event LowCardinality(String),
  type LowCardinality(String),
  timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  sent_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
  day Date CODEC(Delta, ZSTD(1)),
  number UInt32,
  nobody Bool,
  filed_person UUID CODEC(ZSTD(1)),
  message_id String CODEC(ZSTD(1)),
  user_id String CODEC(ZSTD(1)),
  anonymous_id String CODEC(ZSTD(1)),
  session_id String CODEC(ZSTD(1)),
  source LowCardinality(String),
  protocol LowCardinality(String),
  channel LowCardinality(String),
  revenue Nullable(Decimal(18, 4)) CODEC(ZSTD(1)),
  currency LowCardinality(String),
  strs Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  nums Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
  bools Map(LowCardinality(String), Bool) CODEC(ZSTD(1)),
  extra String CODEC(ZSTD(3)),
  context String CODEC(ZSTD(3)),
  _partition UInt16,
  _offset UInt64 CODEC(Delta, ZSTD(1)),
  _index UInt32,
  INDEX received received_at TYPE minmax GRANULARITY 4
) ENGINE = {engine MergeTree}
PARTITION BY (project, toYear(day))
ORDER BY (project, event, day, number, timestamp)
SETTINGS {token_window}, lightweight_mutation_projection_mode = 'rebuild';

CREATE TABLE IF NOT EXISTS millrace_store.event_day (
  project UInt16,
  event LowCardinality(String),
  day Date,
  nobody Bool,
  currency LowCardinality(String),
  numbers AggregateFunction(groupBitmap, UInt32),
  events SimpleAggregateFunction(sum, UInt64),
  revenue SimpleAggregateFunction(sum, Decimal(38, 4))
) ENGINE = {engine AggregatingMergeTree}
PARTITION BY (project, toYear(day))
ORDER BY (project, event, day, nobody, currency)
SETTINGS {token_window};

CREATE MATERIALIZED VIEW IF NOT EXISTS millrace_store.event_day_feed TO millrace_store.event_day AS
SELECT project, name AS event, day, nobody, currency,
  groupBitmapState(number) AS numbers,
  count() AS events,
  sum(toDecimal128(ifNull(revenue, 0), 4)) AS revenue
FROM millrace_store.events
ARRAY JOIN if(type IN ('track', 'page', 'screen') AND event != '*', [event, '*'], [event]) AS name
GROUP BY project, name, day, nobody, currency;

CREATE TABLE IF NOT EXISTS millrace_store.numbers (
  project UInt16,
  number UInt32,
  key_type LowCardinality(String),
  key_value String,
  person_id UUID,
  person_number UInt32,
  moved Bool,
  linked_at DateTime64(3, 'UTC'),
  version UInt64
) ENGINE = {engine ReplacingMergeTree(version)}
PARTITION BY project
ORDER BY (project, number)
SETTINGS {token_window};

CREATE TABLE IF NOT EXISTS millrace_store.person_base_versions (
  project UInt16,
  version UInt64
) ENGINE = {engine ReplacingMergeTree(version)}
ORDER BY project
SETTINGS {token_window};

CREATE DICTIONARY IF NOT EXISTS millrace_store.person_base (
  id UInt64,
  person_number UInt32,
  person_id UUID
) PRIMARY KEY id
SOURCE(CLICKHOUSE(QUERY 'SELECT bitOr(bitShiftLeft(toUInt64(project), 32), toUInt64(number)) AS id, argMax(person_number, version) AS person_number, argMax(person_id, version) AS person_id FROM millrace_store.numbers GROUP BY project, number HAVING argMax(moved, version)'{dictionary_user}))
LAYOUT(HASHED())
LIFETIME(0);

CREATE DICTIONARY IF NOT EXISTS millrace_store.person_delta (
  id UInt64,
  person_number UInt32,
  person_id UUID
) PRIMARY KEY id
SOURCE(CLICKHOUSE(QUERY 'SELECT bitOr(bitShiftLeft(toUInt64(project), 32), toUInt64(number)) AS id, argMax(person_number, version) AS person_number, argMax(person_id, version) AS person_id FROM millrace_store.numbers LEFT JOIN (SELECT project, max(version) AS base FROM millrace_store.person_base_versions GROUP BY project) AS bases USING (project) WHERE version > base GROUP BY project, number'{dictionary_user}))
LAYOUT(HASHED())
LIFETIME(0);

CREATE TABLE IF NOT EXISTS millrace_store.flips (
  project UInt16,
  segment String,
  version UInt32,
  person UUID,
  flip LowCardinality(String),
  at DateTime64(3, 'UTC'),
  number UInt32,
  cause LowCardinality(String),
  _partition UInt16,
  _offset UInt64,
  _index UInt32
) ENGINE = {engine MergeTree}
PARTITION BY project
ORDER BY (project, segment, person, number)
SETTINGS {token_window};

CREATE TABLE IF NOT EXISTS millrace_store.rules (
  project UInt16,
  segment String,
  version UInt32,
  name String,
  rule String,
  deleted Bool,
  at DateTime64(3, 'UTC')
) ENGINE = {engine ReplacingMergeTree}
PARTITION BY project
ORDER BY (project, segment, version, at)
SETTINGS {token_window};

CREATE TABLE IF NOT EXISTS millrace_store.repeats (
  project UInt16,
  source LowCardinality(String),
  hour DateTime('UTC'),
  n UInt64,
  _partition UInt16,
  _offset UInt64
) ENGINE = {engine MergeTree}
PARTITION BY project
ORDER BY (project, source, hour)
SETTINGS {token_window};

CREATE TABLE IF NOT EXISTS millrace_store.rejected (
  project UInt16,
  source LowCardinality(String),
  protocol LowCardinality(String),
  received_at DateTime64(3, 'UTC'),
  code LowCardinality(String),
  detail String,
  message_id String,
  bytes String CODEC(ZSTD(3)),
  _partition UInt16,
  _offset UInt64,
  _index UInt32
) ENGINE = {engine MergeTree}
PARTITION BY project
ORDER BY (project, received_at)
SETTINGS {token_window};

CREATE TABLE IF NOT EXISTS millrace_store.profiles (
  project UInt16,
  person UUID,
  version UInt64,
  gone Bool,
  user_id String,
  anonymous_ids Array(String),
  identities String,
  traits String,
  first_seen Nullable(DateTime64(3, 'UTC')),
  last_seen Nullable(DateTime64(3, 'UTC')),
  consent String,
  document String CODEC(ZSTD(3))
) ENGINE = {engine ReplacingMergeTree(version)}
PARTITION BY project
ORDER BY (project, person)
SETTINGS {token_window};

CREATE TABLE IF NOT EXISTS millrace_store.clock (
  partition UInt16,
  at SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
) ENGINE = {engine AggregatingMergeTree}
ORDER BY partition
SETTINGS {token_window};

CREATE TABLE IF NOT EXISTS millrace_store.refused_links (
  project UInt16,
  a String,
  b String,
  reason LowCardinality(String),
  restored Bool,
  version UInt64
) ENGINE = {engine ReplacingMergeTree(version)}
PARTITION BY project
ORDER BY (project, a, b)
SETTINGS {token_window};

CREATE TABLE IF NOT EXISTS millrace_store.ledger_counts (
  project UInt16,
  source LowCardinality(String),
  hour DateTime('UTC'),
  received UInt64,
  pending UInt64,
  version UInt64
) ENGINE = {engine ReplacingMergeTree(version)}
PARTITION BY project
ORDER BY (project, source, hour)
SETTINGS {token_window};
