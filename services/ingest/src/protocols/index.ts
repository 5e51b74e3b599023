import { countly } from './countly.ts'
import type { Protocol } from './protocol.ts'
import { segment } from './segment.ts'
import { sensors } from './sensors.ts'
import { snowplow } from './snowplow.ts'

/** All protocols, in the order in which they are asked about a path that they share. */
export const protocols: readonly Protocol[] = [segment, sensors, snowplow, countly]
