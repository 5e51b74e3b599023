SELECT
  project,
  person AS person_id,
  user_id,
  anonymous_ids,
  identities,
  traits,
  first_seen,
  last_seen,
  multiIf(
    user_id = '', 'potential',
    last_seen < clock_at - INTERVAL 90 DAY, 'churned',
    last_seen < clock_at - INTERVAL 30 DAY, 'dormant',
    first_seen >= clock_at - INTERVAL 30 DAY, 'new',
    first_seen < clock_at - INTERVAL 180 DAY, 'loyal',
    'active'
  ) AS lifecycle_stage,
  consent
FROM millrace_store.profiles FINAL
CROSS JOIN (SELECT max(at) AS clock_at FROM millrace_store.clock) AS newest
WHERE {scope} AND NOT gone
