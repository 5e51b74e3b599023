import { isIP } from 'node:net'
import { ProblemError } from '@millrace/contracts'
import type { FastifyRequest } from 'fastify'

/**
 * No web page may read a Millrace on 127.0.0.1. A page of another origin is refused by its Origin (or, where the browser
 * sends none, by Sec-Fetch-Site); one that points its own name at our address (DNS rebinding) by Host:
 * only a bare address, `localhost` or a configured name is served.
 * Paths of collection protocols are free of it: they write only, and pages of anybody call them.
 */
export const guard = (hosts: readonly string[]) => {
  const names = new Set(['localhost', ...hosts.map((host) => host.toLowerCase())])
  return async (request: FastifyRequest): Promise<void> => {
    if (request.routeOptions.config?.collection) return
    const host = (request.headers.host ?? '').toLowerCase()
    if (host !== '' && !isServed(host, names)) throw new ProblemError('HOST_NOT_ALLOWED')
    if (!isSameOrigin(request.headers.origin, host)) throw new ProblemError('ORIGIN_NOT_ALLOWED')
    if (request.url.startsWith('/api') && isForeignFetch(request)) throw new ProblemError('ORIGIN_NOT_ALLOWED')
  }
}

const isServed = (host: string, names: ReadonlySet<string>): boolean => {
  const name = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d+$/, '')
  return names.has(name) || isIP(name) !== 0
}

/** No Origin: not a page's cross-origin call. `null` is the origin of a sandboxed page. */
const isSameOrigin = (origin: string | undefined, host: string): boolean =>
  origin === undefined || origin.toLowerCase() === `http://${host}` || origin.toLowerCase() === `https://${host}`

const isForeignFetch = (request: FastifyRequest): boolean => {
  const site = request.headers['sec-fetch-site']
  return site === 'cross-site' || site === 'same-site'
}
