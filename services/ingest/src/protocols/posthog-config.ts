import type { Fields } from '@millrace/contracts'

/** What the browser SDK asks before it packs: the packings that are read, and that there is nothing to record, show or switch. */
export const posthogConfig = (token: string): Fields => ({
  token,
  supportedCompression: ['gzip', 'gzip-js'],
  analytics: { endpoint: '/i/v0/e/' },
  hasFeatureFlags: false,
  sessionRecording: false,
  surveys: false,
  heatmaps: false,
  capturePerformance: false,
  captureDeadClicks: false,
  autocaptureExceptions: false,
  errorTracking: { autocaptureExceptions: false, suppressionRules: [] },
  productTours: false,
  conversations: false,
  siteApps: [],
  elementsChainAsString: true,
})

/** The same as a script, which the SDK asks for first. */
export const posthogConfigScript = (token: string): string => {
  const text = JSON.stringify({ config: posthogConfig(token), siteApps: [] })
  return `(function(){window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{};window._POSTHOG_REMOTE_CONFIG[${JSON.stringify(token)}]=${text}})();`
}

/** No flag is known: the answer to `/flags` and to the older `/decide`. */
export const posthogFlags = (requestId: string): Fields => ({
  flags: {},
  featureFlags: {},
  featureFlagPayloads: {},
  errorsWhileComputingFlags: false,
  requestId,
  quotaLimited: [],
  supportedCompression: ['gzip', 'gzip-js'],
  config: { enable_collect_everything: true },
  isAuthenticated: false,
  sessionRecording: false,
  siteApps: [],
})
