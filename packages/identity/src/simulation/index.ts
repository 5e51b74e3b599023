export * from './random.ts'
export * from './reference.ts'
