import { jitsu } from './jitsu.ts'
import { ga4 } from './ga4.ts'
import { matomo } from './matomo.ts'
import { openpanel } from './openpanel.ts'
import { plausible } from './plausible.ts'
import { countly } from './countly.ts'
import type { Protocol } from './protocol.ts'
import { rudderstack } from './rudderstack.ts'
import { segment } from './segment.ts'
import { umami } from './umami.ts'

/** All protocols, in the order in which they are asked about a path that they share. */
export const protocols: readonly Protocol[] = [rudderstack, segment, jitsu]
export const protocols: readonly Protocol[] = [segment, ga4, matomo, umami, openpanel, plausible]
import { sensors } from './sensors.ts'
import { snowplow } from './snowplow.ts'

/** All protocols, in the order in which they are asked about a path that they share. */
export const protocols: readonly Protocol[] = [segment, sensors, snowplow, countly]
