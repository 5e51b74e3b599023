import { header, type RawRequest } from './request.ts'

export interface Credentials {
  readonly user: string
  readonly password: string
}

/** From the Basic header, ClickHouse's own headers, or the URL, in this order. */
export const credentialsOf = (parameters: URLSearchParams, headers: RawRequest['headers']): Credentials => {
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header(headers, 'authorization') ?? '')
  if (basic) {
    const text = Buffer.from(basic[1]!, 'base64').toString()
    const colon = text.indexOf(':')
    return colon < 0 ? { user: text, password: '' } : { user: text.slice(0, colon), password: text.slice(colon + 1) }
  }
  const key = header(headers, 'x-clickhouse-key')
  if (key !== null) return { user: header(headers, 'x-clickhouse-user') ?? '', password: key }
  return { user: parameters.get('user') ?? '', password: parameters.get('password') ?? '' }
}
