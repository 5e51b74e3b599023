import { readFileSync } from 'node:fs'

export const serviceNames = ['ingest', 'profile-builder', 'segmentation', 'metrics'] as const
/** A service that answers over HTTP: a process of its own in the stack. */
export type ServiceName = (typeof serviceNames)[number]

/** Which service answers which path: the first row that fits; `*` stands for any rest. */
export interface FrontDoorTable {
  readonly routes: readonly { readonly path: string; readonly service: ServiceName }[]
}

/** The one table, which the proxy of the compose file is made of, too. */
export const readFrontDoorTable = (): FrontDoorTable =>
  JSON.parse(readFileSync(new URL('../../../../infra/proxy/routes.json', import.meta.url), 'utf8')) as FrontDoorTable

/** @param url path and query of a request */
export const serviceOf = ({ routes }: FrontDoorTable, url: string): ServiceName => {
  const path = url.split('?', 1)[0]!
  const found = routes.find((route) => (route.path.endsWith('*') ? path.startsWith(route.path.slice(0, -1)) : path === route.path))
  if (!found) throw new Error(`no service answers ${path}`)
  return found.service
}
