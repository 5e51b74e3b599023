import { type ErrorCode, errors } from '@millrace/contracts'
import { createComponents, type Components, type JsonSchema } from './components.ts'
import type { DocumentedRoute, RouteDocs } from './route-docs.ts'

export interface ApiInfo {
  readonly title: string
  readonly version: string
}

export interface OpenApiDocument {
  readonly openapi: string
  readonly info: object
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>>; readonly securitySchemes: object }
}

/** One document of several: the first one's head, the paths of all in one order. */
export const mergeDocuments = (documents: readonly [OpenApiDocument, ...OpenApiDocument[]]): OpenApiDocument => {
  const [first] = documents
  const paths = documents.flatMap((document) => Object.entries(document.paths)).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const merged: Record<string, Readonly<Record<string, object>>> = {}
  for (const [path, operations] of paths) merged[path] = { ...operations, ...merged[path] }
  const schemas = Object.assign({}, ...documents.map(({ components }) => components.schemas)) as Record<string, object>
  return { ...first, paths: merged, components: { ...first.components, schemas } }
}

/** An OpenAPI 3.1 document of all routes: pure, the same for the same routes. */
export const openApiDocument = (routes: readonly DocumentedRoute[], info: ApiInfo): OpenApiDocument => {
  const components = createComponents()
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes.toSorted((a, b) => (a.url < b.url ? -1 : a.url > b.url ? 1 : a.method < b.method ? -1 : 1))) {
    const path = pathOf(route.url)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, components) }
  }
  return {
    openapi: '3.1.0',
    info: { ...info, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: { schemas: { Problem: PROBLEM, ...components.schemas() }, securitySchemes: SCHEMES },
  }
}

const SCHEMES = {
  apiKey: { type: 'http', scheme: 'bearer', description: 'An API key of the project.' },
  session: { type: 'apiKey', in: 'cookie', name: 'millrace_session', description: 'The page, signed in.' },
  writeKey: { type: 'http', scheme: 'basic', description: 'The write key as user, no password.' },
}

const PROBLEM: JsonSchema = {
  description: 'RFC 9457. `code` never changes its meaning.',
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'requestId'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(errors) },
    detail: { type: 'string' },
    requestId: { type: 'string', description: 'Under which the log tells more.' },
    faults: { type: 'array', items: {}, description: 'Where in the input each fault lies.' },
  },
}

const PARAMETER = /:([A-Za-z]+)|\*/g
const pathOf = (url: string): string => url.replace(PARAMETER, (_, name: string | undefined) => `{${name ?? 'path'}}`)

const operationOf = ({ method, url, docs }: DocumentedRoute, components: Components): object => {
  const operationId = `${method.toLowerCase()}${url.split(/[^A-Za-z0-9]+/).map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`
  const inPath = [...url.matchAll(PARAMETER)].map(([, name = 'path']) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  const inQuery = docs.query ? parametersOf(components.inline(`${operationId}Query`, docs.query)) : []
  return {
    operationId,
    summary: docs.summary,
    tags: docs.tags ?? [url.startsWith('/api/') ? url.split('/')[2] : 'operations'],
    security: securityOf(docs.access),
    ...(inPath.length + inQuery.length > 0 && { parameters: [...inPath, ...inQuery] }),
    ...(docs.body && { requestBody: { required: true, content: { 'application/json': { schema: components.named(`${operationId}Body`, docs.body) } } } }),
    responses: { ...answerOf(docs.answer), ...refusalsOf(codesOf(docs)) },
  }
}

const securityOf = (access: RouteDocs['access']): readonly object[] => {
  if (access === 'none') return []
  return access === 'write-key' ? [{ writeKey: [] }] : [{ apiKey: [] }, { session: [] }]
}

const parametersOf = (schema: JsonSchema): readonly object[] => {
  const required = new Set((schema['required'] ?? []) as readonly string[])
  return Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>).map(([name, of]) => ({ name, in: 'query', required: required.has(name), schema: of }))
}

const answerOf = ({ status = 200, description, type = 'application/json' }: RouteDocs['answer']): object => ({
  [status]: { description, ...(type !== null && { content: { [type]: {} } }) },
})

const ACCESS_CODES: Readonly<Record<RouteDocs['access'], readonly ErrorCode[]>> = {
  'none': ['HOST_NOT_ALLOWED', 'ORIGIN_NOT_ALLOWED'],
  'write-key': [],
  'api-key': ['HOST_NOT_ALLOWED', 'ORIGIN_NOT_ALLOWED', 'API_KEY_MISSING', 'API_KEY_UNKNOWN'],
  'admin': ['HOST_NOT_ALLOWED', 'ORIGIN_NOT_ALLOWED', 'API_KEY_MISSING', 'API_KEY_UNKNOWN', 'ROLE_INSUFFICIENT'],
}
const BODY_CODES: readonly ErrorCode[] = ['NOT_JSON', 'BODY_UNREADABLE', 'BODY_TOO_LARGE']
/** Collection reads bodies whatever type they name. */
const TYPE_CODES: readonly ErrorCode[] = ['MEDIA_TYPE_UNSUPPORTED']

const codesOf = ({ access, body, codes = [] }: RouteDocs): ReadonlySet<ErrorCode> =>
  new Set([...ACCESS_CODES[access], ...(body ? BODY_CODES : []), ...(body && access !== 'write-key' ? TYPE_CODES : []), ...codes, 'INTERNAL'])

/** One answer for each status, with the codes that it may have and what they mean. */
const refusalsOf = (codes: ReadonlySet<ErrorCode>): object => {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of [...codes].sort()) byStatus.set(errors[code].status, [...(byStatus.get(errors[code].status) ?? []), code])
  return Object.fromEntries([...byStatus].map(([status, some]) => [status, {
    description: some.map((code) => `\`${code}\`: ${errors[code].meaning}`).join('\n\n'),
    content: { 'application/problem+json': { schema: { allOf: [{ $ref: '#/components/schemas/Problem' }, { type: 'object', properties: { code: { enum: some } } }] } } },
  }]))
}
