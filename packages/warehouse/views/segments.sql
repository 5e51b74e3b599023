SELECT
  project,
  segment_id,
  last.1 AS name,
  last.2 AS version,
  last.3 AS rule,
  size
FROM (
  SELECT
    project,
    segment AS segment_id,
    argMax((name, version, rule, deleted), (version, at)) AS last
  FROM millrace_store.rules
  WHERE {scope}
  GROUP BY project, segment
) AS current
LEFT JOIN (
  SELECT project, segment AS segment_id, count() AS size
  FROM (
    SELECT project, segment, person
    FROM millrace_store.flips
    WHERE {scope}
    GROUP BY project, segment, person
    HAVING argMax(flip, number) = 'entered'
  )
  GROUP BY project, segment
) AS sizes USING (project, segment_id)
WHERE NOT last.4
