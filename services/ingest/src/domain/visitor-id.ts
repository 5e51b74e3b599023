import { createHash } from 'node:crypto'
import type { Project } from '@millrace/contracts'
import { isDevice } from './peer.ts'
import type { Wire } from './wire.ts'

const PERIODS = { day: 10, month: 7 } as const

type Period = keyof typeof PERIODS

/**
 * An anonymous id for protocols whose SDKs send none: a hash of site, address and user agent with a secret of the project, new
 * each day or month of UTC, so that nobody can be followed for longer and the address cannot be had back.
 */
const visitorId = (
  project: Project, period: Period, at: number, { site, ip, userAgent }: { readonly site: string; readonly ip: string; readonly userAgent: string },
): string => {
  const moment = new Date(at).toISOString().slice(0, PERIODS[period])
  return `v-${createHash('sha256').update([secretOf(project), project.id, moment, site, ip, userAgent].join('\n')).digest('hex').slice(0, 32)}`
}

/** An API key is known to nobody outside; a write key stands in web pages. */
export const secretOf = (project: Project): string => project.apiKeys[0]?.hash ?? project.writeKeys[0]?.hash ?? ''

interface Told {
  readonly ip?: string | undefined
  readonly userAgent?: string | undefined
}

/**
 * The visitor behind a request. A server that tells nothing of its visitor has none, and gets the empty id, which is nobody: else all
 * its visitors would be one person, linked to whoever signs in first.
 */
export const visitorOf = (wire: Wire, project: Project, period: Period, at: number, site: string, told: Told = {}): string => {
  if (!isDevice(wire.headers) && told.ip === undefined && told.userAgent === undefined) return ''
  return visitorId(project, period, at, { site, ip: told.ip ?? wire.ip, userAgent: told.userAgent ?? wire.headers['user-agent'] ?? '' })
}
