export { createEmbedded, type Embedded, type EmbeddedOptions } from './embedded.ts'
