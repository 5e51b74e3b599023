import type { SdkCase } from '../sdk-case.ts'
import { amplitudeCases } from './amplitude.ts'
import { countlyCases } from './countly.ts'
import { ga4Cases } from './ga4.ts'
import { jitsuCases } from './jitsu.ts'
import { matomoCases } from './matomo.ts'
import { mixpanelCases } from './mixpanel.ts'
import { openpanelCases } from './openpanel.ts'
import { plausibleCases } from './plausible.ts'
import { posthogCases } from './posthog.ts'
import { rudderstackCases } from './rudderstack.ts'
import { segmentCases } from './segment.ts'
import { sensorsCases } from './sensors.ts'
import { snowplowCases } from './snowplow.ts'
import { umamiCases } from './umami.ts'

export const cases: readonly SdkCase[] = [
  ...segmentCases, ...rudderstackCases, ...jitsuCases, ...sensorsCases, ...posthogCases, ...mixpanelCases, ...amplitudeCases, ...ga4Cases, ...matomoCases,
  ...umamiCases, ...openpanelCases, ...plausibleCases, ...snowplowCases, ...countlyCases,
]
