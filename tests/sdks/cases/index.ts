import type { SdkCase } from '../sdk-case.ts'
import { amplitudeCases } from './amplitude.ts'
import { mixpanelCases } from './mixpanel.ts'
import { posthogCases } from './posthog.ts'
import { segmentCases } from './segment.ts'

export const cases: readonly SdkCase[] = [...segmentCases, ...posthogCases, ...mixpanelCases, ...amplitudeCases]
