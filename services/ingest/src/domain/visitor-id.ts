import { createHash } from 'node:crypto'
import type { Project } from '@millrace/contracts'

const PERIODS = { day: 10, month: 7 } as const

/**
 * An anonymous id for protocols whose SDKs send none: a hash of site, address and user agent with a secret of the project, new
 * each day or month of UTC, so that nobody can be followed for longer and the address cannot be had back.
 */
export const visitorId = (
  project: Project, period: keyof typeof PERIODS, at: number, { site, ip, userAgent }: { readonly site: string; readonly ip: string; readonly userAgent: string },
): string => {
  // An API key is known to nobody outside; a write key stands in web pages.
  const secret = project.apiKeys[0]?.hash ?? project.writeKeys[0]?.hash ?? ''
  const moment = new Date(at).toISOString().slice(0, PERIODS[period])
  return `v-${createHash('sha256').update([secret, project.id, moment, site, ip, userAgent].join('\n')).digest('hex').slice(0, 32)}`
}
