export { createProjectDatabase } from './catalogue.ts'
export { createGuard, type Guard, type Guarded } from './guard/guard.ts'
export { Refused } from './guard/refused.ts'
export * from './server.ts'
