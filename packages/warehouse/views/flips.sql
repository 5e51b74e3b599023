SELECT
  project,
  segment AS segment_id,
  person AS person_id,
  flip,
  at,
  number,
  cause
FROM millrace_store.flips
WHERE {scope}
