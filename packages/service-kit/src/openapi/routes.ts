import type { FastifyInstance, FastifyPluginAsync, RouteOptions } from 'fastify'
import { type ApiInfo, openApiDocument } from './document.ts'
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

/** GET /api/openapi.json: all routes of the process. No tenant's data is in it, so it asks for no key. */
export const openApiRoutes = (info: ApiInfo): FastifyPluginAsync => async (app) => {
  let text: string | undefined
  app.get('/api/openapi.json', {
    config: { docs: { summary: 'This document.', access: 'none', answer: { description: 'OpenAPI 3.1.' } } },
  }, async (_request, reply) => reply.type('application/json; charset=utf-8').send(text))
  app.addHook('onReady', async () => {
    text = JSON.stringify(openApiDocument(documented(app.routesSoFar()), info))
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
