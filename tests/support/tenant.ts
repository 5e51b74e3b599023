import { request as httpRequest } from 'node:http'

/** An answer as it came, whatever its status. */
export interface Plain {
  readonly status: number
  readonly text: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

export interface PlainRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** Unlike `fetch` it sends whatever Host and Origin it is told to, as an attacker's browser would. */
export const plainly = (url: string, { method = 'GET', headers = {}, body }: PlainRequest = {}): Promise<Plain> =>
  new Promise((resolve, reject) => {
    const bytes = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)
    const request = httpRequest(url, { method, headers: { ...(typeof body === 'object' ? { 'content-type': 'application/json' } : {}), ...headers } }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers })).once('error', reject)
    })
    request.once('error', reject).end(bytes)
  })

/** One project of a running Millrace, by its keys. */
export interface Tenant {
  readonly writeKey: string
  readonly apiKey: string
  api(path: string, request?: PlainRequest): Promise<Plain>
  /** The answer as JSON. @throws when it is a refusal */
  json<Answer>(path: string, body?: unknown): Promise<Answer>
  sql(text: string): Promise<Plain>
  send(events: readonly unknown[]): Promise<Plain>
}

export const tenantOf = (at: { readonly url: string; readonly clickhouseUrl: string }, keys: { readonly writeKey: string; readonly apiKey: string }): Tenant => {
  const api: Tenant['api'] = (path, { headers, ...request } = {}) => plainly(at.url + path, { ...request, headers: { authorization: `Bearer ${keys.apiKey}`, ...headers } })
  return {
    ...keys,
    api,
    json: async <Answer>(path: string, body?: unknown) => {
      const { status, text } = await api(path, body === undefined ? {} : { method: 'POST', body })
      if (status >= 300) throw new Error(`${path}: ${status} ${text}`)
      return JSON.parse(text) as Answer
    },
    sql: (text) => plainly(at.clickhouseUrl, { method: 'POST', body: text, headers: { authorization: `Basic ${btoa(`analyst:${keys.apiKey}`)}` } }),
    send: (events) => plainly(`${at.url}/v1/batch`, { method: 'POST', body: { writeKey: keys.writeKey, batch: events } }),
  }
}
