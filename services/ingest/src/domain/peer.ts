import type { IncomingHttpHeaders } from 'node:http'
import { PEER_FIELD } from '@millrace/contracts'
import { isbot } from 'isbot'

/** What browsers and phones call themselves; the SDKs of servers name their language or library, Umami's after a browser's beginning. */
const DEVICE = /^(?:(?!Mozilla\/5\.0 Umami\/)Mozilla|Opera|Dalvik)\/|okhttp|CFNetwork|MicroMessenger/

/** Whether a user's own device calls: its address says something of the user, and it cannot be asked to wait by 429. */
export const isDevice = (headers: IncomingHttpHeaders): boolean =>
  headers.origin !== undefined || DEVICE.test(headers['user-agent'] ?? '')

export type PeerAddress = 'full' | 'short' | 'none'

export interface Peers {
  /** The field that tells where a device called from, to be put before the last brace of each of its events; null for a server's request. */
  fieldOf(request: { readonly ip: string; readonly headers: IncomingHttpHeaders }): Buffer | null
}

const USER_AGENT_LENGTH_MAX = 512
const KNOWN_MAX = 1_000

/** `address` says how much of an address is kept: it is personal data. Robots are marked, not dropped. */
export const createPeers = (address: PeerAddress): Peers => {
  const bots = new Map<string, boolean>()
  const isBot = (userAgent: string): boolean => {
    const known = bots.get(userAgent)
    if (known !== undefined) return known
    if (bots.size >= KNOWN_MAX) bots.clear()
    const found = isbot(userAgent)
    bots.set(userAgent, found)
    return found
  }
  return {
    fieldOf: (request) => {
      const { headers } = request
      if (!isDevice(headers)) return null
      const { ip } = request
      const userAgent = headers['user-agent']?.slice(0, USER_AGENT_LENGTH_MAX).toWellFormed()
      const peer = {
        ...(address === 'none' ? {} : { ip: address === 'short' ? shortened(ip) : ip }),
        ...(userAgent ? { userAgent, ...(isBot(userAgent) ? { bot: true } : {}) } : {}),
      }
      return Buffer.from(`,"${PEER_FIELD}":${JSON.stringify(peer)}`)
    },
  }
}

/** Without the part that names one household: the last number of IPv4, the last five groups of IPv6. */
const shortened = (ip: string): string => {
  if (ip.includes('.') && !ip.includes(':')) return ip.replace(/\d+$/, '0')
  const mapped = /^::ffff:(\d+\.\d+\.\d+)\.\d+$/i.exec(ip)
  if (mapped) return `${mapped[1]}.0`
  const [head = ''] = ip.split('::')
  return `${head.split(':').filter(Boolean).slice(0, 3).join(':')}::`
}
