import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { millraceForAll } from '../support/running.ts'

interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly security: readonly object[]
  readonly responses: Readonly<Record<string, unknown>>
}
interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** One path of each part; that none is missing is held at the start, which fails for a route without docs. */
const SOME = ['/v1/batch', '/v1/track', '/api/metrics/funnel', '/api/segments/{id}/people/{personId}', '/api/profiles', '/api/identity/commands', '/api/ledger', '/api/projects', '/api/sources/{name}/activity', '/readyz', '/metrics', '/api/openapi.json']

/** Paths of other protocols than Segment's: some of their SDKs know no 401, and some hold the key deep in a body that is none. */
const isForeign = (path: string): boolean => !/^\/(?:api|v1)\//.test(path) || ['/api/send', '/api/batch', '/api/event'].includes(path)

describe('the OpenAPI document of the running product', () => {
  const running = millraceForAll()
  const read = async (): Promise<Document> => (await (await fetch(`${running.millrace.url}/api/openapi.json`)).json()) as Document

  it('is valid OpenAPI 3.1 and has the routes of every service, each under a name of its own', async () => {
    const document = await read()
    const { valid, errors } = await new Validator().validate({ ...document })
    expect(errors).toBeUndefined()
    expect([valid, document.openapi]).toEqual([true, '3.1.0'])
    expect(SOME.filter((path) => !(path in document.paths))).toEqual([])
    const ids = Object.values(document.paths).flatMap((path) => Object.values(path).map(({ operationId }) => operationId))
    expect(new Set(ids).size).toBe(ids.length)
    console.log(`openapi: ${ids.length} operations on ${Object.keys(document.paths).length} paths, ${JSON.stringify(document).length} bytes`)
  })

  it('has the paths of each protocol under its name', async () => {
    const { paths } = await read()
    const tagsOf = (path: string, method: string) => paths[path]![method]!.tags
    expect([tagsOf('/v1/batch', 'post'), tagsOf('/api/s/track', 'post'), tagsOf('/api/send', 'options'), tagsOf('/array/{key}/config', 'get')]).toEqual([['rudderstack', 'segment'], ['jitsu'], ['umami'], ['posthog']])
    expect([tagsOf('/i', 'get'), tagsOf('/i', 'post'), tagsOf('/i', 'options'), tagsOf('/track', 'post')]).toEqual([['snowplow', 'countly'], ['countly'], ['snowplow', 'countly'], ['mixpanel', 'openpanel']])
    const operations = Object.keys(paths).filter((path) => Object.values(paths[path]!).some(({ tags }) => tags.includes('operations')))
    expect(operations.sort()).toEqual(['/healthz', '/metrics', '/readyz', '/sign-in'])
  })

  it('names addresses that are there, says who may call, and each refusal is one that it lists', async () => {
    for (const [path, operations] of Object.entries((await read()).paths)) {
      for (const [method, { security, responses }] of Object.entries(operations)) {
        if (path === '/api/live') continue
        const address = running.millrace.url + path.replaceAll(/\{\w+\}/g, 'x')
        const answer = await fetch(address, { method: method.toUpperCase(), ...(method === 'post' || method === 'put' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {}) })
        const text = await answer.text()
        expect({ path, method, status: String(answer.status), text }).toMatchObject({ status: expect.toBeOneOf(Object.keys(responses)) })
        if (security.length > 0 && !isForeign(path)) expect({ path, method, status: answer.status }).toMatchObject({ status: 401 })
        if (answer.headers.get('content-type')?.startsWith('application/problem+json')) expect(JSON.stringify(responses[answer.status]), text).toContain(`"${(JSON.parse(text) as { code: string }).code}"`)
      }
    }
  })
})
