import type { FastifyPluginAsync } from 'fastify'
import { collectDefaultMetrics, Counter, Gauge, Histogram, type Metric, Registry } from 'prom-client'
import type { RouteDocs } from './openapi/route-docs.ts'

export { Counter, Gauge, Histogram }

/** The metrics of one process. Services that share a process share it, and add to one metric of a name. */
export class MetricsRegistry extends Registry {
  private readonly beforeScrape: (() => Promise<void>)[] = []
  private readonly underWay = new Set<Promise<void>>()

  /** The metric of that name: the first who asks makes it. */
  shared<Kind extends Metric>(name: string, make: (name: string) => Kind): Kind {
    return (this.getSingleMetric(name) as Kind | undefined) ?? make(name)
  }

  /** Runs before metrics are told; it must neither fail nor take long: see `onScrape`. */
  before(work: () => Promise<void>): void {
    this.beforeScrape.push(work)
  }

  /** Work that a reader of metrics may leave behind. */
  goesOn(work: Promise<void>): void {
    this.underWay.add(work)
    void work.finally(() => this.underWay.delete(work))
  }

  /** Resolves when all that was begun for readers has ended. */
  async drain(): Promise<void> {
    await Promise.all(this.underWay)
  }

  override async metrics(): Promise<string> {
    await Promise.all(this.beforeScrape.map((work) => work()))
    return super.metrics()
  }
}

/** With `process`: memory, CPU and the delay of the event loop, too, under prom-client's names. */
export const createMetricsRegistry = (options: { readonly process?: boolean } = {}): MetricsRegistry => {
  const registry = new MetricsRegistry()
  if (options.process) collectDefaultMetrics({ register: registry })
  return registry
}

/** The rows of a README's table of metrics: `| name | labels | meaning |`, of those whose name begins so. */
export const metricRows = (registry: MetricsRegistry, prefix: string): readonly string[] =>
  (registry.getMetricsAsArray() as unknown as readonly { name: string; help: string; labelNames: readonly string[] }[])
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ name, help, labelNames }) => `| \`${name}\` | ${labelNames.map((label) => `\`${label}\``).join(', ')} | ${help} |`)

const METRICS: RouteDocs = { summary: 'Figures for Prometheus.', access: 'none', answer: { description: 'Prometheus’ text format.', type: 'text/plain' } }

/** GET /metrics in Prometheus' text format. */
export const metricsRoutes = (registry: MetricsRegistry): FastifyPluginAsync => async (app) => {
  app.get('/metrics', { config: { docs: METRICS } }, async (_request, reply) => reply.header('content-type', registry.contentType).send(await registry.metrics()))
}
