import type { SdkCase } from '../sdk-case.ts'
import { segmentCases } from './segment.ts'
import { sensorsCases } from './sensors.ts'

export const cases: readonly SdkCase[] = [...segmentCases, ...sensorsCases]
