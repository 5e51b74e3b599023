import type { SdkCase } from '../sdk-case.ts'
import { segmentCases } from './segment.ts'

export const cases: readonly SdkCase[] = [...segmentCases]
