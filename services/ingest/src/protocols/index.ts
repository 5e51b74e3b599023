import { amplitude } from './amplitude.ts'
import { countly } from './countly.ts'
import { ga4 } from './ga4.ts'
import { jitsu } from './jitsu.ts'
import { matomo } from './matomo.ts'
import { mixpanel } from './mixpanel.ts'
import { openpanel } from './openpanel.ts'
import { plausible } from './plausible.ts'
import { posthog } from './posthog.ts'
import type { Protocol } from './protocol.ts'
import { rudderstack } from './rudderstack.ts'
import { segment } from './segment.ts'
import { sensors } from './sensors.ts'
import { snowplow } from './snowplow.ts'
import { umami } from './umami.ts'

/** All protocols, in the order in which they are asked about a path that they share; the first answers where no body was read. */
export const protocols: readonly Protocol[] = [
  rudderstack, segment, jitsu, sensors, posthog, mixpanel, openpanel, amplitude, ga4, matomo, umami, plausible, snowplow, countly,
]
