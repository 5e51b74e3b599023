import { amplitude } from './amplitude.ts'
import { mixpanel } from './mixpanel.ts'
import { posthog } from './posthog.ts'
import type { Protocol } from './protocol.ts'
import { segment } from './segment.ts'

/** All protocols, in the order in which they are asked about a path that they share. */
export const protocols: readonly Protocol[] = [segment, posthog, mixpanel, amplitude]
