export { segmentationConfig, type SegmentationConfig } from './config.ts'
export { createSegmentation, type Segmentation, type SegmentationDeps } from './service.ts'
export { isBackfilling } from './jobs/is-backfilling.ts'
