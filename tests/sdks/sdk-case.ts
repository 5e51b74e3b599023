import type { ProtocolName } from '@millrace/contracts'
import type { StoredEvent } from '../../services/ingest/test/golden.ts'

export type Runtime = 'node' | 'browser' | 'python' | 'go' | 'java'

/** One unchanged SDK, what a program tells it to send, and what must be stored. */
export interface SdkCase {
  readonly protocol: ProtocolName
  /** Also the name of its program: `programs/<sdk>.{mjs,js,py,go,java}`; `mode` tells two cases of one SDK apart. */
  readonly sdk: string
  readonly mode?: string
  readonly version: string
  readonly runtime: Runtime
  /** As the registry names it, with its version: npm `name@1.2.3`, PyPI `name==1.2.3`, Go `module v1.2.3`, Maven `group:artefact:1.2.3`. */
  readonly packages: readonly string[]
  /** What the program sends, in words, for the table. */
  readonly sent: string
  /** Given to the program as its environment (in a browser: `window.MILLRACE`) beside MILLRACE_URL, WRITE_KEY and MODE. */
  readonly settings?: Readonly<Record<string, string>>
  /** The key that the SDK is given, where it wants one of its own form; the project's is `wk`. */
  readonly writeKey?: string
  /** Each must be among what is stored; no more than these and `more` may be. */
  readonly stored: readonly Partial<StoredEvent>[]
  /** What an SDK sends of its own accord: names of events that may be there in any number. */
  readonly more?: readonly string[]
}

export const nameOf = ({ sdk, mode }: SdkCase): string => (mode === undefined ? sdk : `${sdk}-${mode}`)
