import { isIP } from 'node:net'
import { type ErrorCode, ProblemError } from '@millrace/contracts'
import type { FastifyRequest } from 'fastify'

/**
 * No web page may read a Millrace on 127.0.0.1. A page of another origin is refused by its Origin (or, where the browser
 * sends none, by Sec-Fetch-Site); one that points its own name at our address (DNS rebinding) by Host:
 * only a bare address, `localhost` or a configured name is served.
 * Paths of collection protocols are free of it (`createHttp`): they write only, and pages of anybody call them.
 */
export const guard = (hosts: readonly string[]) => {
  const names = new Set(['localhost', ...hosts.map((host) => host.toLowerCase())])
  // With a callback: a promise per hook is felt by single events.
  return (request: FastifyRequest, _reply: unknown, done: (error?: Error) => void): void => {
    const code = refusalOf(request, names)
    done(code === null ? undefined : new ProblemError(code))
  }
}

const refusalOf = (request: FastifyRequest, names: ReadonlySet<string>): ErrorCode | null => {
  const host = (request.headers.host ?? '').toLowerCase()
  if (host !== '' && !isServed(host, names)) return 'HOST_NOT_ALLOWED'
  if (!isSameOrigin(request.headers.origin, host)) return 'ORIGIN_NOT_ALLOWED'
  return request.url.startsWith('/api') && isForeignFetch(request) ? 'ORIGIN_NOT_ALLOWED' : null
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
