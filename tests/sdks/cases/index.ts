import type { SdkCase } from '../sdk-case.ts'
import { jitsuCases } from './jitsu.ts'
import { rudderstackCases } from './rudderstack.ts'
import { ga4Cases } from './ga4.ts'
import { matomoCases } from './matomo.ts'
import { openpanelCases } from './openpanel.ts'
import { plausibleCases } from './plausible.ts'
import { segmentCases } from './segment.ts'
import { umamiCases } from './umami.ts'

export const cases: readonly SdkCase[] = [...segmentCases, ...rudderstackCases, ...jitsuCases]
export const cases: readonly SdkCase[] = [...segmentCases, ...ga4Cases, ...matomoCases, ...umamiCases, ...openpanelCases, ...plausibleCases]
import { countlyCases } from './countly.ts'
import { segmentCases } from './segment.ts'
import { sensorsCases } from './sensors.ts'
import { snowplowCases } from './snowplow.ts'

export const cases: readonly SdkCase[] = [...segmentCases, ...sensorsCases, ...snowplowCases, ...countlyCases]
