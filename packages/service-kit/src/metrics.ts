import type { FastifyPluginAsync } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

export { Counter, Gauge, Histogram, Registry }

/** Of one process. Names begin with `millrace_<service>_`, so that services can share it. */
export const createMetricsRegistry = (options: { readonly process?: boolean } = {}): Registry => {
  const registry = new Registry()
  if (options.process) collectDefaultMetrics({ register: registry })
  return registry
}

/** GET /metrics in Prometheus' text format. */
export const metricsRoutes = (registry: Registry): FastifyPluginAsync => async (app) => {
  app.get('/metrics', async (_request, reply) => reply.header('content-type', registry.contentType).send(await registry.metrics()))
}
