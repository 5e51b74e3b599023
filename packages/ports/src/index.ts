export * from './clock.ts'
export * from './column-store.ts'
export * from './event-log.ts'
export * from './hot-store.ts'
