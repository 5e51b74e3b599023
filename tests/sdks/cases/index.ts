import type { SdkCase } from '../sdk-case.ts'
import { countlyCases } from './countly.ts'
import { segmentCases } from './segment.ts'
import { sensorsCases } from './sensors.ts'
import { snowplowCases } from './snowplow.ts'

export const cases: readonly SdkCase[] = [...segmentCases, ...sensorsCases, ...snowplowCases, ...countlyCases]
