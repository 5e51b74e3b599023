export * from './person-side.ts'
