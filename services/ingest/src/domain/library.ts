import type { IncomingHttpHeaders } from 'node:http'
import type { Fields } from '@millrace/contracts'
import { isDevice } from './peer.ts'

/** For protocols whose requests do not name their SDK: only whether a page or a server sends can be seen. */
export const libraryContext = (protocol: string, headers: IncomingHttpHeaders): Fields =>
  ({ library: { name: `${protocol}-${isDevice(headers) ? 'web' : 'http'}` } })
