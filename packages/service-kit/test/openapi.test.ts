import { errors } from '@millrace/contracts'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createHttp, createLogger, openApiDocument, openApiRoutes, type RouteDocs } from '../src/index.ts'
import { createCountingIds } from './fixed.ts'
import { createMemoryHotStore } from './memory-hot-store.ts'

const info = { title: 'Test', version: '1' }
const tree: z.ZodType = z.lazy(() => z.union([z.strictObject({ not: tree }), z.strictObject({ all: z.array(tree) }), z.literal('leaf')]))
const list: RouteDocs = {
  summary: 'A page.', access: 'api-key', answer: { description: 'things' }, codes: ['QUERY_TIMEOUT'],
  query: z.strictObject({ limit: z.coerce.number().int().min(1).max(10).default(5), after: z.string().optional(), of: z.string() }),
}
const make: RouteDocs = { summary: 'Makes one.', access: 'admin', body: z.strictObject({ name: z.string(), rule: tree }), answer: { status: 201, description: 'made' } }

interface Doc {
  readonly paths: Record<string, Record<string, { readonly parameters?: readonly Record<string, unknown>[]; readonly responses: Record<string, { description: string }> }>>
  readonly components: { readonly schemas: Record<string, Record<string, never>> }
}

describe('the OpenAPI document', () => {
  const document = openApiDocument([{ method: 'POST', url: '/api/things', docs: make }, { method: 'GET', url: '/api/things/:id/parts', docs: list }], info) as Doc

  it('is valid, also with a schema that names itself, and every reference leads somewhere', async () => {
    const { valid, errors: faults } = await new Validator().validate({ ...document })
    expect(faults).toBeUndefined()
    expect(valid).toBe(true)
    const names = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name!)
    expect(names.length).toBeGreaterThan(4)
    expect(names.filter((name) => !(name in document.components.schemas))).toEqual([])
    expect(JSON.stringify(document)).not.toContain('$defs')
  })

  it('has parameters from the address and from the schema of the query', () => {
    expect(document.paths['/api/things/{id}/parts']!['get']!.parameters).toEqual([
      { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
      { name: 'limit', in: 'query', required: false, schema: { type: 'integer', minimum: 1, maximum: 10, default: 5 } },
      { name: 'after', in: 'query', required: false, schema: { type: 'string' } },
      { name: 'of', in: 'query', required: true, schema: { type: 'string' } },
    ])
  })

  it('tells each code with its meaning under its status', () => {
    const { responses } = document.paths['/api/things']!['post']!
    expect(Object.keys(responses).sort()).toEqual(['201', '400', '401', '403', '413', '415', '500'])
    expect(responses['403']!.description).toContain(`\`ROLE_INSUFFICIENT\`: ${errors.ROLE_INSUFFICIENT.meaning}`)
    expect(document.components.schemas['Problem']!['properties']).toMatchObject({ code: { enum: Object.keys(errors) } })
  })
})

describe('a process that tells its interface', () => {
  it('does not start with a route that says nothing of itself', async () => {
    const http = createHttp({ logger: createLogger('silent'), ids: createCountingIds() })
    await http.register(openApiRoutes(info))
    http.get('/api/things', async () => ({}))
    await expect(http.ready()).rejects.toThrow('the route GET /api/things has no config.docs')
  })

  it('tells all that was registered, before and after, and itself', async () => {
    const http = createHttp({ logger: createLogger('silent'), ids: createCountingIds() })
    http.get('/api/before', { config: { docs: list } }, async () => ({}))
    await http.register(openApiRoutes(info))
    await http.register(async (inner) => inner.post('/api/after', { config: { docs: make } }, async () => ({})))
    http.get('/file', { config: { docs: 'page' } }, async () => ({}))
    const { paths } = (await http.inject('/api/openapi.json')).json() as Doc
    expect(Object.entries(paths).map(([path, of]) => `${Object.keys(of).join()} ${path}`)).toEqual(['post /api/after', 'get /api/before', 'get /api/openapi.json'])
  })

  it('tells of the routes of all services that share, each process the same', async () => {
    const hot = createMemoryHotStore()
    const processes = [['things', '/api/things'], ['parts', '/api/parts']].map(([service, url]) => {
      const http = createHttp({ logger: createLogger('silent'), ids: createCountingIds() })
      void http.register(openApiRoutes(info, { hot, service: service! }))
      http.after(() => void http.post(url!, { config: { docs: make } }, async () => 'ok'))
      return http
    })
    for (const http of processes) await http.ready()
    const [a, b] = await Promise.all(processes.map(async (http) => (await http.inject('/api/openapi.json')).json() as Doc))
    expect(Object.keys(a!.paths)).toEqual(['/api/openapi.json', '/api/parts', '/api/things'])
    expect(b!.paths).toEqual(a!.paths)
    const { valid, errors: faults } = await new Validator().validate({ ...a! })
    expect([valid, faults]).toEqual([true, undefined])
    expect(Object.keys(a!.components.schemas)).toEqual(expect.arrayContaining(['postApiThingsBody', 'postApiPartsBody']))
  })
})
