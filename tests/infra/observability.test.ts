import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createCounters as profileCounters } from '../../services/profile-builder/src/counters.ts'
import { createMetricsRegistry } from '@millrace/service-kit'
import { parser } from '@prometheus-io/lezer-promql'
import { describe, expect, it } from 'vitest'
import { root } from '../tidy/source-tree.ts'
import { compose, exists, programOf, serviceOfCopy, sources, text, yaml } from './files.ts'

interface Rule { readonly alert: string; readonly expr: string; readonly labels: { readonly severity: string }; readonly annotations: { readonly summary: string; readonly action: string } }
interface Panel { readonly id: number; readonly title: string; readonly description: string; readonly type: string; readonly datasource: { readonly uid: string }; readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }; readonly targets: readonly { readonly expr: string; readonly refId: string }[] }
interface Dashboard { readonly uid: string; readonly title: string; readonly panels: readonly Panel[] }

const rules = (yaml('infra/prometheus/rules.yml') as { groups: { name: string; rules: Rule[] }[] }).groups.flatMap((group) => group.rules)
const dashboards = readdirSync(join(root, 'infra/grafana/dashboards')).map((file) => JSON.parse(text(`infra/grafana/dashboards/${file}`)) as Dashboard)
const expressions = [
  ...rules.map(({ alert, expr }) => ({ where: alert, expr })),
  ...dashboards.flatMap(({ title, panels }) => panels.flatMap((panel) => panel.targets.map(({ expr }) => ({ where: `${title} / ${panel.title}`, expr: expr.replaceAll('$__rate_interval', '1m') })))),
]

/** Names of series in an expression, by Prometheus' own grammar. @throws where the expression is no PromQL */
const seriesOf = (expr: string): readonly string[] => {
  const names: string[] = []
  parser.parse(expr).iterate({
    enter: (node) => {
      if (node.type.isError) throw new Error(`no PromQL at ${node.from}: ${expr}`)
      // A vector's name; labels and functions are other nodes.
      if (node.name === 'Identifier' && node.node.parent?.name === 'VectorSelector') names.push(expr.slice(node.from, node.to))
    },
  })
  return names
}

/** What our processes tell: registries as they are made, and names that stand in sources. */
const ownSeries = async (): Promise<ReadonlySet<string>> => {
  const registry = createMetricsRegistry({ process: true })
  profileCounters(registry, () => 0)
  const made = (await registry.getMetricsAsJSON()).map(({ name }) => name)
  registry.clear()
  const written = [...sources('services'), ...sources('packages')]
    .flatMap((file) => [...file.text.matchAll(/'(millrace_(?:consumer|scrape|ingest|segmentation|profile_builder|metrics)_\w+)'/g)].map((match) => match[1]!))
  return new Set([...made, ...written])
}

/** A histogram tells three series under its name. */
const isTold = (series: ReadonlySet<string>, name: string): boolean =>
  series.has(name) || (/_(bucket|sum|count)$/.test(name) && series.has(name.replace(/_(bucket|sum|count)$/, '')))

describe('rules and dashboards', () => {
  it('ask only for series that somebody tells', async () => {
    const ours = await ownSeries()
    const asked = expressions.flatMap(({ where, expr }) => seriesOf(expr).map((name) => ({ where, name })))
    expect(asked.length).toBeGreaterThan(40)
    // Those of ClickHouse are held against the engine in clickhouse.test.ts; `up` is Prometheus' own.
    expect(asked.filter(({ name }) => !isTold(ours, name) && name !== 'up' && !name.startsWith('ClickHouse'))).toEqual([])
  })

  it('take the rate of counters only, each over a range', () => {
    for (const { where, expr } of expressions)
      for (const [, name] of expr.matchAll(/\brate\((\w+)/g)) expect(name, where).toMatch(/_(total|bucket|sum|count)$|^ClickHouseProfileEvents_/)
  })

  it('tell in every alert what is wrong and what to do', () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
    for (const { alert, labels, annotations } of rules) {
      expect(['page', 'ticket'], alert).toContain(labels.severity)
      expect(annotations.summary.length, alert).toBeGreaterThan(15)
      expect(annotations.action.length, alert).toBeGreaterThan(15)
    }
  })

  it('lay every panel beside the others, with its question in words', () => {
    expect(dashboards.map(({ uid }) => uid).sort()).toEqual(['millrace-consumers', 'millrace-engines', 'millrace-flow'])
    for (const { title, panels } of dashboards) {
      expect(new Set(panels.map(({ id }) => id)).size, title).toBe(panels.length)
      expect(new Set(panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)).size, title).toBe(panels.length)
      for (const panel of panels) {
        expect(panel.description.length, panel.title).toBeGreaterThan(5)
        expect(panel.datasource.uid).toBe('millrace-prometheus')
        expect(panel.gridPos.x + panel.gridPos.w, panel.title).toBeLessThanOrEqual(24)
      }
    }
  })
})

describe('what Prometheus and Grafana are told', () => {
  it('every copy of every service is asked at its port', () => {
    for (const [file, targets] of [['docker-compose.yml', 'targets.json'], ['docker-compose.cluster.yml', 'targets.cluster.json']] as const) {
      const rows = JSON.parse(text(`infra/prometheus/${targets}`)) as { targets: string[]; labels: { service: string } }[]
      const asked = rows.flatMap((row) => row.targets.map((target) => `${row.labels.service} ${target}`))
      const ours = Object.entries(compose(file).services).filter(([, container]) => programOf(container)?.startsWith('services/'))
      expect(asked.sort(), targets).toEqual(ours.map(([name, { environment }]) => `${serviceOfCopy(name)} ${name}:${environment!['PORT']}`).sort())
    }
  })

  it('every ClickHouse is asked at the port that its configuration opens', () => {
    const port = /<prometheus>[^]*?<port>(\d+)<\/port>/.exec(text('infra/clickhouse/config.d/millrace.xml'))?.[1]
    for (const [file, targets] of [['docker-compose.yml', 'targets-clickhouse.json'], ['docker-compose.cluster.yml', 'targets-clickhouse.cluster.json']] as const) {
      const rows = JSON.parse(text(`infra/prometheus/${targets}`)) as { targets: string[] }[]
      const servers = Object.entries(compose(file).services).filter(([, { image }]) => image.startsWith('clickhouse/clickhouse-server:')).map(([name]) => `${name}:${port}`)
      expect(rows.flatMap((row) => row.targets).sort(), targets).toEqual(servers.sort())
    }
  })

  it('files stand where the containers look for them', () => {
    const { prometheus, grafana } = compose('docker-compose.yml').services
    const inside = (volumes: readonly string[] = []): Map<string, string> => new Map(volumes.map((volume) => [volume.split(':')[1]!, volume.split(':')[0]!]))
    const config = yaml('infra/prometheus/prometheus.yml') as { rule_files: string[]; scrape_configs: { file_sd_configs?: { files: string[] }[] }[] }
    const wanted = [...config.rule_files, ...config.scrape_configs.flatMap((job) => job.file_sd_configs?.flatMap(({ files }) => files) ?? [])]
    for (const path of wanted) expect(exists(inside(prometheus?.volumes).get(path) ?? 'nowhere'), path).toBe(true)
    const { providers } = yaml('infra/grafana/provisioning/dashboards/millrace.yml') as { providers: { options: { path: string } }[] }
    expect(inside(grafana?.volumes).get(providers[0]!.options.path)).toBe('./infra/grafana/dashboards')
    const { datasources } = yaml('infra/grafana/provisioning/datasources/prometheus.yml') as { datasources: { uid: string; url: string }[] }
    expect(datasources[0]).toMatchObject({ uid: 'millrace-prometheus', url: 'http://prometheus:9090' })
  })
})

const promtool = process.env['MILLRACE_PROMTOOL'] ?? 'promtool'
const lacksPromtool = spawnSync(promtool, ['--version'], { stdio: 'ignore' }).status !== 0
if (lacksPromtool) process.stdout.write('SKIPPED promtool on rules and configuration: not on the PATH, and none named by MILLRACE_PROMTOOL\n')

it.skipIf(lacksPromtool)('promtool takes the rules, and they fire and keep still as they should', () => {
  const run = (...args: readonly string[]) => spawnSync(promtool, args, { encoding: 'utf8', cwd: root })
  expect(run('check', 'rules', 'infra/prometheus/rules.yml')).toMatchObject({ status: 0 })
  const tested = run('test', 'rules', 'infra/prometheus/rules.test.yml')
  expect(tested.stdout + tested.stderr).toContain('SUCCESS')
})
