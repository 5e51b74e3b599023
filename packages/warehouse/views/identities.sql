SELECT
  project,
  key_type AS type,
  key_value AS value,
  person_id,
  linked_at
FROM millrace_store.numbers FINAL
WHERE {scope} AND key_type != 'none'
