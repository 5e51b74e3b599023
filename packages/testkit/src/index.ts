export * from './kafka.ts'
export { compilerPath, startChild, type Child } from './crash/child.ts'
export { createTempFolder, type TempFolder } from './temp-folder.ts'
export { createTestClock, type TestClock } from './test-clock.ts'
