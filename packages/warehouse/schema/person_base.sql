CREATE DICTIONARY millrace_store.person_base
(
    `id` UInt64,
    `person_number` UInt32,
    `person_id` UUID
)
PRIMARY KEY id
SOURCE(CLICKHOUSE(QUERY 'SELECT bitOr(bitShiftLeft(toUInt64(project), 32), toUInt64(number)) AS id, argMax(person_number, version) AS person_number, argMax(person_id, version) AS person_id FROM millrace_store.numbers GROUP BY project, number HAVING argMax(moved, version)'))
LIFETIME(MIN 0 MAX 0)
LAYOUT(HASHED())
