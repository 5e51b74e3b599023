CREATE DICTIONARY millrace_store.person_delta
(
    `id` UInt64,
    `person_number` UInt32,
    `person_id` UUID
)
PRIMARY KEY id
SOURCE(CLICKHOUSE(QUERY 'SELECT bitOr(bitShiftLeft(toUInt64(project), 32), toUInt64(number)) AS id, argMax(person_number, version) AS person_number, argMax(person_id, version) AS person_id FROM millrace_store.numbers LEFT JOIN (SELECT project, max(version) AS base FROM millrace_store.person_base_versions GROUP BY project) AS bases USING (project) WHERE version > base GROUP BY project, number'))
LIFETIME(MIN 0 MAX 0)
LAYOUT(HASHED())
