import { jitsu } from './jitsu.ts'
import type { Protocol } from './protocol.ts'
import { rudderstack } from './rudderstack.ts'
import { segment } from './segment.ts'

/** All protocols, in the order in which they are asked about a path that they share. */
export const protocols: readonly Protocol[] = [rudderstack, segment, jitsu]
