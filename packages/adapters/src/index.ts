export { createChdbStore, type ChdbOptions } from './column-store/chdb.ts'
