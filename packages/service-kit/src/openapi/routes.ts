import type { HotStore } from '@millrace/ports'
import type { FastifyInstance, FastifyPluginAsync, RouteOptions } from 'fastify'
import { type ApiInfo, mergeDocuments, openApiDocument, type OpenApiDocument } from './document.ts'
import type { DocumentedRoute } from './route-docs.ts'

/**
 * Collects every route that is registered from here on; `createHttp` calls it first. What a route says of itself is
 * read at the end, since a plugin around it may add to it.
 */
export const collectRoutes = (app: FastifyInstance): (() => readonly RouteOptions[]) => {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => void routes.push(route))
  return () => routes
}

/** Where services in processes of their own put their documents, so that any of them can tell of all. */
export interface SharedDocuments {
  readonly hot: Pick<HotStore, 'update' | 'scan'>
  readonly service: string
}

const SCOPE = 'openapi'
const SERVICES_MAX = 100

/** GET /api/openapi.json: all routes of the process, or of all that share. No tenant's data is in it, so it asks for no key. */
export const openApiRoutes = (info: ApiInfo, shared?: SharedDocuments): FastifyPluginAsync => async (app) => {
  let own: OpenApiDocument | undefined
  app.get('/api/openapi.json', {
    config: { docs: { summary: 'This document.', access: 'none', answer: { description: 'OpenAPI 3.1.' } } },
  }, async (_request, reply) => {
    const entries = (await shared?.hot.scan(SCOPE, { prefix: '', limit: SERVICES_MAX })) ?? []
    const others = entries.filter(({ key }) => key !== shared?.service).map(({ document }) => document as OpenApiDocument)
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(mergeDocuments([own!, ...others])))
  })
  app.addHook('onReady', async () => {
    const document = (own = openApiDocument(documented(app.routesSoFar()), info))
    await shared?.hot.update(SCOPE, shared.service, () => document)
  })
}

/** @throws for a route that says nothing of itself: it would be missing from the document */
const documented = (routes: readonly RouteOptions[]): readonly DocumentedRoute[] =>
  routes.flatMap(({ method, url, config }) => {
    const docs = config?.docs
    if (docs === undefined) throw new Error(`the route ${[method].flat().join(', ')} ${url} has no config.docs`)
    // fastify answers HEAD wherever there is a GET.
    return docs === 'page' ? [] : [method].flat().filter((name) => name !== 'HEAD').map((name) => ({ method: name, url, docs }))
  })
