/** The public tracking protocols that ingest takes; the name stands in `origin.protocol` and `events.protocol`. */
export const PROTOCOL_NAMES = [
  'segment', 'rudderstack', 'jitsu', 'sensors', 'posthog', 'mixpanel', 'amplitude', 'ga4', 'matomo', 'umami', 'openpanel', 'plausible',
  'snowplow', 'countly',
] as const
export type ProtocolName = (typeof PROTOCOL_NAMES)[number]
