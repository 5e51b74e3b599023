export * from './kafka.ts'
export { compilerPath, seededChance, startChild, type Child } from './crash/child.ts'
export { createTempFolder, type TempFolder } from './temp-folder.ts'
export { createTestClock, type TestClock } from './test-clock.ts'
