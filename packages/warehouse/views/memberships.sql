SELECT
  project,
  segment AS segment_id,
  person AS person_id,
  argMax(at, number) AS entered_at
FROM millrace_store.flips
WHERE {scope}
GROUP BY project, segment, person
HAVING argMax(flip, number) = 'entered'
