import type { SdkCase } from '../sdk-case.ts'
import { jitsuCases } from './jitsu.ts'
import { rudderstackCases } from './rudderstack.ts'
import { segmentCases } from './segment.ts'

export const cases: readonly SdkCase[] = [...segmentCases, ...rudderstackCases, ...jitsuCases]
