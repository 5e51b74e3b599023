export { createEmbedded, type Embedded, type EmbeddedOptions } from './embedded.ts'
export { createStack, type Stack, type StackOptions } from './stack.ts'
export { slotOf, stackConfig, type StackConfig } from './stack-config.ts'
export { untilSetUp, type SetUpWait } from './set-up.ts'
