export { readUpConfig, upConfig, type UpConfig } from './config.ts'
export { DEMO, makeShop, type Shop, type ShopTotals } from './demo/shop.ts'
export { StartFault } from './folder/fault.ts'
export { startMillrace, type Millrace, type MillraceOptions } from './millrace.ts'
