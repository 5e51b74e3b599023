/**
 * What the browser SDK asks before it sends anything. Without `integrations["Segment.io"]` it never sends; everything
 * else tells it that nothing is blocked, sampled or loaded.
 */
export const segmentSettings = (writeKey: string, address: { readonly host: string; readonly protocol: string }): unknown => ({
  integrations: {
    'Segment.io': {
      apiKey: writeKey,
      apiHost: `${address.host}/v1`,
      protocol: address.protocol,
      unbundledIntegrations: [],
      addBundledMetadata: true,
      maybeBundledConfigIds: {},
      versionSettings: { version: '4.4.7', componentTypes: ['browser'] },
    },
  },
  plan: {
    track: { __default: { enabled: true, integrations: {} } },
    identify: { __default: { enabled: true } },
    group: { __default: { enabled: true } },
  },
  edgeFunction: {},
  analyticsNextEnabled: true,
  middlewareSettings: {},
  enabledMiddleware: {},
  metrics: { sampleRate: 0 },
  legacyVideoPluginsEnabled: false,
  remotePlugins: [],
})
