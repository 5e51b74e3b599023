SELECT
  project,
  message_id,
  type,
  event,
  if(nobody, NULL, {person_id}) AS person_id,
  user_id,
  anonymous_id,
  timestamp,
  received_at,
  sent_at,
  session_id,
  source,
  protocol,
  channel,
  request_id,
  {properties} AS properties,
  context,
  revenue,
  currency
FROM millrace_store.events
WHERE {scope}
